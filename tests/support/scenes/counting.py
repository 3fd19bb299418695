"""Counters of a stage's namespaces, which go on otherwise where the change was written."""

from datetime import timedelta

from stage import OWN, SPACES

from orchestrator.ports import Kind, Sample
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

RECORD = Kind(m.API_VERSION, "NamespaceRollout")
STEP = 5


class Counters:
    """Counters of each namespace; `changed` gives requests and errors a second once a namespace was written."""

    def __init__(self, stage, changed=(20.0, 0.02), usual=(20.0, 0.02), spaces=SPACES):
        self._stage, self._changed, self._usual, self._spaces = stage, changed, usual, spaces
        self.written = {}

    def _note(self):
        for obj in self._stage.cluster.list(RECORD, OWN):
            found = load(obj)
            if found.status.applied_at:
                self.written.setdefault(found.spec.namespace, found.status.applied_at)

    def _count(self, name, which, at):
        begin = self._stage.clock.now().replace(year=2020)
        since = self.written.get(name)
        quiet = (min(at, since) if since else at) - begin
        changed = at - since if since and at > since else timedelta()
        total = quiet.total_seconds() * self._usual[0]
        errors = quiet.total_seconds() * self._usual[0] * self._usual[1]
        if changed and self._changed is None:
            return None
        if changed:
            total += changed.total_seconds() * self._changed[0]
            errors += changed.total_seconds() * self._changed[0] * self._changed[1]
        return {"t": total, "e": errors}[which]

    def query(self, expression, at):
        return self._samples(expression, at)

    def query_range(self, expression, start, end, step):
        found, at = [], start
        while at <= end:
            found += self._samples(expression, at)
            at += timedelta(seconds=step)
        return found

    def _samples(self, which, at):
        self._note()
        counts = {n: self._count(n, which, at) for n in self._spaces}
        return [
            Sample({"namespace": n, "pod": f"{n}-0"}, float(int(c)), at)
            for n, c in counts.items()
            if c is not None
        ]
