"""The API server of the simulation: keeps a journal of every change, and lets calls take their time, fail and land late."""

from dataclasses import dataclass

from simulation.process import REQUEST_SECONDS
from simulation.shared import Shared
from simulation.workloads import CLUSTER, WIDE

from orchestrator.errors import ApiError, Busy, Conflict, Gone, Unreachable
from orchestrator.policy.objects import selector
from orchestrator.sandbox.cluster import MemoryCluster

POLICIES = ("NetworkPolicy", WIDE.kind)
WRITES = frozenset({"create", "replace", "replace_status", "delete"})


@dataclass(frozen=True)
class Change:
    """One change that took effect: when, by whom, and the object before and after it."""

    time: float
    actor: str
    kind: str
    namespace: str
    name: str
    before: dict | None
    after: dict | None


class Journal(MemoryCluster):
    """Tells `saw` of every change, cascades included; `actor` is who calls now."""

    def __init__(self, clock, saw):
        super().__init__(clock, user="system:serviceaccount:netpol-canary:controller")
        self._saw, self._known = saw, {}
        self.actor = ""
        self.shared = Shared()

    def get(self, kind, name, namespace=None):
        return self.shared.given(self._find(kind, name, namespace))

    def list(self, kind, namespace=None, labels=""):
        wanted = selector.parse(labels)
        found = [k for k in self._objects if k[0] == kind and namespace in (None, k[1])]
        objects = (self._objects[key] for key in sorted(found))
        labels_of = ((o, o["metadata"].get("labels") or {}) for o in objects)
        return [self.shared.given(o) for o, some in labels_of if selector.matches(wanted, some)]

    def _tell(self, verb, obj):
        super()._tell(verb, obj)
        meta = obj["metadata"]
        key = (obj["kind"], meta.get("namespace") or "", meta["name"])
        before = self._known.pop(key, None)
        after = None if verb == "DELETED" else obj
        if after is not None:
            self._known[key] = after
        self._saw(self.actor, *key, before, after)


class Api:
    """Calls of processes, each an event when it lands and one when it is answered."""

    def __init__(self, scheduler, cluster, faults, oracle):
        self.scheduler, self.cluster, self.faults, self._oracle = scheduler, cluster, faults, oracle
        self.calls = 0

    def call(self, process, port, verb, args, kwargs):
        """One request of a process, as its client sees it."""
        process.alive_or_killed()
        scheduler, write = self.scheduler, verb in WRITES
        self.calls += 1
        process.calls += 1
        policy = bool(_policy_space(verb, args, kwargs))
        fate = self.faults.fate(process, write, policy)
        if process.kind != "person" and policy:
            self.faults.stall(process)
        task, answer, sent = scheduler.current(), [], scheduler.time
        waker = task.waker()
        checked, task.checked = task.checked, ("", 0.0)

        def land():
            if fate.error is not None and not fate.lands:
                answer.append(fate.error)
            else:
                self._oracle.sent, self._oracle.checked = sent, checked
                answer.append(self._effect(process, port, verb, args, kwargs))
                if verb == "get" and args[0].kind == "PolicyRollout":
                    task.checked = args[1], scheduler.time
            if fate.dies == "landed":
                process.kill()
            else:
                scheduler.at(fate.back, waker)

        if fate.dies == "sent":
            scheduler.at(fate.there, land)
            scheduler.at(0, process.kill)
        elif fate.dies == "before":
            scheduler.at(0, process.kill)
        elif fate.there + fate.back >= REQUEST_SECONDS or (fate.error is not None and fate.lands):
            scheduler.at(fate.there, land)
            scheduler.at(REQUEST_SECONDS, waker)
        else:
            scheduler.at(fate.there, land)
        task.wait()
        if fate.error is not None and fate.lands:
            raise fate.error
        if not answer or fate.there + fate.back >= REQUEST_SECONDS:
            raise Unreachable("timed out")
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    def _effect(self, process, port, verb, args, kwargs):
        self.cluster.actor = process.name
        self._oracle.waits = process.alive
        if verb == "list" and args and args[0].kind in POLICIES:
            where = args[1] if len(args) > 1 else kwargs.get("namespace")
            where = CLUSTER if args[0] == WIDE else where
            self._oracle.read(process.name, where, kwargs.get("labels", ""))
        if process.kind != "pod" and (space := _policy_space(verb, args, kwargs)):
            self._oracle.asked(process.name, space, args[1] if verb == "delete" else "")
        try:
            return getattr(port, verb)(*args, **kwargs)
        except ApiError as error:
            return error


def _policy_space(verb, args, kwargs):
    """Where a call writes a policy; empty for every other call, one that only tries a write included."""
    if kwargs.get("dry_run"):
        return ""
    if verb in ("create", "replace"):
        obj = args[0]
        return obj["metadata"].get("namespace", CLUSTER) if obj.get("kind") in POLICIES else ""
    return (args[2] or CLUSTER) if verb == "delete" and args[0].kind in POLICIES else ""


class Port:
    """Implements `Cluster` for one process, in somebody's name."""

    def __init__(self, api, process, cluster=None):
        self._api, self._process, self._cluster = api, process, cluster or api.cluster

    def __getattr__(self, verb):
        if verb == "user":
            return self._cluster.user
        api, process, cluster = self._api, self._process, self._cluster
        return lambda *args, **kwargs: api.call(process, cluster, verb, args, kwargs)


@dataclass(frozen=True)
class Fate:
    """What becomes of a call: seconds there and back, the error, whether it lands all the same, and whether it kills."""

    there: float
    back: float
    error: Exception | None = None
    lands: bool = False
    dies: str = ""


class Faults:
    """Draws a call's fate. Calm once the faults have stopped."""

    def __init__(self, random, settings):
        self.random, self.settings, self.calm = random, settings, False
        self.counts = {}

    def count(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1

    def stall(self, process):
        """A process that writes policies stands still before the answer comes, longer than it has its place, now and then."""
        stalls = 0.0 if self.calm else self.settings.stalls
        if stalls and self.random.random() < stalls:
            self.count("stall")
            process.frozen_until = process.scheduler.time + self.random.uniform(5, 60)

    def fate(self, process, write, policy):
        draw, given = self.random, self.settings
        there, back = draw.uniform(0.001, 0.02), draw.uniform(0.001, 0.02)
        if self.calm or process.kind == "person":
            return Fate(there, back)
        lasting = given.late > REQUEST_SECONDS
        if process.dies_at and process.calls >= process.dies_at and (policy or not lasting):
            process.dies_at = 0
            self.count("kill")
            if (
                given.late > REQUEST_SECONDS
            ):  # what a process sent last lands later than it would have waited for
                there = draw.uniform(0, given.late)
            return Fate(there, back, dies=process.dies_how)
        if process.slow_until > process.scheduler.time:
            there, back = draw.uniform(0, 2.4), draw.uniform(0, 2.4)
        elif draw.random() < given.slow:
            self.count("slow")
            there, back = draw.uniform(0, 3.0), draw.uniform(0, 3.0)
        if draw.random() >= given.errors:
            return Fate(there, back)
        kind = draw.choice(("409", "429", "500", "reset", "timeout", "late", "410"))
        if (kind == "409" and not write) or (kind == "410" and write):
            kind = "500"
        self.count(kind)
        if kind == "timeout":  # nobody knows, and it had come to nothing
            return Fate(REQUEST_SECONDS, 0, Unreachable("timed out"))
        if kind == "late":  # nobody knows, and it lands
            return Fate(draw.uniform(0, given.late), 0, Unreachable("timed out"), lands=True)
        made = {
            "409": lambda: Conflict("the object has been modified"),
            "410": lambda: Gone("the continue token is too old"),
            "429": lambda: Busy("slow down", 429, retry_after=draw.choice((0, 1, 2))),
            "500": lambda: Busy("internal error", 500),
            "reset": lambda: Unreachable("connection reset"),
        }[kind]()
        return Fate(there, back, made)
