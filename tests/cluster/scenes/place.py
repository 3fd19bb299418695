"""A namespace with a source of its own on the real API server, rolled out in this process, with no pods and no traffic."""

import json
import uuid

from clearing import OWN
from patience import ENOUGH

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.cluster import connect
from orchestrator.context import POLICY, SOURCE, Context
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Conflict
from orchestrator.operations.start import start
from orchestrator.ports import Commit
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import whole
from orchestrator.rollout.resources.resource import load, new

REVISION = "c" * 40
WANTED = {
    "apiVersion": POLICY.api_version,
    "kind": POLICY.kind,
    "metadata": {"name": "web"},
    "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"ports": [{"port": 8080}]}]},
}


class Files:
    """One commit with one policy."""

    def resolve(self, ref=""):
        return REVISION

    def files(self, revision):
        return {"_shared/web.yaml": json.dumps(WANTED).encode()}

    def commits(self, since, until):
        return [Commit(until, ("Ann <ann@example.com>",), "change")]


class Place:
    """A namespace with a source of its own on the real API server."""

    def __init__(self, plane):
        self.plane, self.api = plane, connect(plane.kubeconfig, timeout=ENOUGH)
        self.name = f"beside-{uuid.uuid4().hex[:8]}"
        for name in (OWN, self.name):
            labels = {} if name == OWN else {"netpol-canary.dev/test": "true"}
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            try:
                self.api.create(body)
            except Conflict:
                assert name == OWN
        scope = m.NamespaceScope(names=[self.name])
        spec = m.PolicySourceSpec(
            git=m.Git(url="/none"),
            namespaces=scope,
            strategy=m.Strategy(settle_seconds=0, analysis=m.Analysis(probing=m.Probing(edges=False))),
        )
        self.api.create(new("PolicySource", self.name, OWN, spec))
        none = lambda *_: None  # noqa: E731
        self.ctx = Context(self.api, SystemClock(), lambda s: Files(), none, none, None)

    def source(self, **spec):
        found = self.api.get(SOURCE, self.name, OWN)
        return load(self.api.replace({**found, "spec": {**found["spec"], **spec}}) if spec else found)

    def theirs(self, app="theirs", *options):
        body = {
            **WANTED,
            "metadata": {"name": "web", "namespace": self.name},
            "spec": {"podSelector": {"matchLabels": {"app": app}}},
        }
        self.plane.run("apply", *options, "-f", "-", stdin=json.dumps(body))

    def roll_out(self):
        begun = start(self.ctx, self.source())
        return Embedded(self.ctx, "test").drive(begun.rollout).rollout.status.phase

    def whole(self, kind):
        """All that the source's condition of a type says."""
        status = self.source().status
        return whole(status.conditions, status.details, kind)

    def conditions(self):
        return {c.type: c for c in self.source().status.conditions}
