"""What commits, manifests, people, clusters and servers may write to hurt whoever reads it, and a rollout full of it."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from stage import ALLOW, DENY, OWN, Answers, Repository, Stage, files

from orchestrator.errors import PortError
from orchestrator.ports import Commit
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

LINE = "pay\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\u2066 @everyone #12 GH-13 <script>alert(1)</script> [a](javascript:b) a | b"
EVIL = f"{LINE}\n::set-output name=a::b\n##[group]x%0A\n# big"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
COMMAND = re.compile(r"^\s*::(?:set-output|error|warning|notice|stop-commands)|##\[", re.MULTILINE)


class HostileRepository(Repository):
    """Its commits bear a hostile subject and hostile authors."""

    def commits(self, since, until):
        return [Commit(until, (f"{LINE} <a@example.com>", "Ben <ben@example.com>"), LINE)]


class HostileAnswers(Answers):
    """Probes whose reports say what the other end wrote."""

    def run(self, probes):
        return [replace(r, message=EVIL) for r in super().run(probes)]


class HostileMetrics:
    """A server that answers with an error of its own words."""

    def query(self, *args, **more):
        raise PortError(EVIL)

    def __getattr__(self, name):
        return self.query


def hostile_stage(good=False, **strategy):
    """A stage on which everybody writes hostile texts."""
    stage = Stage(good=good, **strategy)
    stage.repository = HostileRepository(("c" * 40, files(DENY, ALLOW)))
    stage.prober = HostileAnswers(stage.cluster, good)
    return stage


def freeze(stage):
    """Somebody froze everything, with words of their own."""
    spec = m.RolloutFreezeSpec(reason=LINE, user="eve")
    stage.cluster.create(new("RolloutFreeze", "evil", OWN, spec))


def assert_harmless(text, form="text"):
    """Nothing steers a terminal or a CI; in `form` (text, annotations, markdown, xml) nothing is markup either."""
    assert not STEERING.search(text), ascii(STEERING.search(text))
    if form != "annotations":
        assert not COMMAND.search(text), COMMAND.search(text)
    if form == "markdown":
        assert "@everyone" not in text and "#12" not in text and "<script" not in text and "GH-13" not in text
        assert not re.search(r"(?<!\\)\]\(javascript", text)
    if form == "xml":
        assert ET.fromstring(text) is not None
