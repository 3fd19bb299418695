"""A controller over many sources, each with a repository and a namespace of its own, beside the stage's good one."""

from dataclasses import replace

from stage import OWN, Rounds, Stage

from orchestrator.context import SOURCE
from orchestrator.engine.controller import Controller
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load


class Failing:
    """A repository whose every answer is an error."""

    def __init__(self, error):
        self.error = error

    def resolve(self, ref=""):
        raise self.error


class Beside(Rounds):
    """`source` adds one; `go` makes rounds over all of them."""

    def __init__(self):
        super().__init__(Stage())
        self._repositories, stage = {}, self.stage
        ctx = replace(stage.context(), repository=lambda s: self._repositories.get(s.name, stage.repository))
        self.controller = Controller(ctx, "one", self.instruments, poll_seconds=30)

    def source(self, name, space, repository):
        meta = {"name": space, "labels": {"team": "odd"}}
        self.stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        self._repositories[name] = repository
        strategy = m.Strategy(analysis=m.Analysis(count=1, probes=self.stage.strategy.analysis.probes))
        scope = m.NamespaceScope(names=[space])
        self.stage.source(name, git=m.Git(url=f"/{name}"), namespaces=scope, strategy=strategy)

    def ready(self, name):
        """The condition of this kind of a source."""
        found = load(self.stage.cluster.get(SOURCE, name, OWN)).status.conditions
        return {c.type: c for c in found}["Ready"]

    def faults(self):
        """How many errors nobody foresaw, in sources and in rollouts."""
        return [self.instruments.faults.labels(part)._value.get() for part in ("source", "rollout")]
