"""A port on which chosen calls meet a fault: they are refused, late, answered otherwise, or the last of their process."""

import sys
import threading

from sampling import sampled, way

WRITES = ("create", "replace", "replace_status", "delete")
GIVEN = {
    "get": ("kind", "name", "namespace"),
    "list": ("kind", "namespace", "labels"),
    "watch": ("kind", "namespace", "labels"),
    "delete": ("kind", "name", "namespace"),
    "log": ("name", "namespace"),
    **dict.fromkeys(("create", "replace", "replace_status"), ("obj",)),
}


class Killed(BaseException):
    """The process is gone."""


class Call:
    """One call of a port: what it is for, how the program came to it, and its answer once there is one."""

    def __init__(self, real, verb, args, more):
        self._real, self._args, self._more = real, args, more
        given = {**dict(zip(GIVEN.get(verb, ()), args, strict=False)), **more}
        self.verb, self.obj = verb, given.get("obj")
        about = self.obj["metadata"] if self.obj else given
        self.kind = self.obj["kind"] if self.obj else getattr(given.get("kind"), "kind", "")
        self.namespace, self.name = about.get("namespace"), about.get("name")
        self.labels, self.dry_run = given.get("labels", ""), bool(more.get("dry_run"))
        self.way, self.answer = (), None

    def go_on(self):
        """What the port does and answers: now, or any time later, as for a request that was long under way."""
        return self._real(*self._args, **self._more)


class Fault:
    """What happens before, after or instead of some calls; `seen` are these, `met` those at which it happened.

    `what` is an error, which is raised, or a function of the Call, whose result is the answer where it happens
    instead. The calls are those of one of these verbs, or of any, whose attributes are as `which` says and which
    `where` lets through. They are numbered from 1 on, over all ports that have this fault, and it happens at the number
    or the range `at`, or at each of them. Once Killed was raised, every further call raises it.
    """

    def __init__(self, when, what, verbs, at=range(1, sys.maxsize), where=lambda call: True, **which):
        self.when, self._what, self._verbs, self._where, self._which = when, what, verbs, where, which
        self._at = at if isinstance(at, range) else range(at, at + 1)
        self._lock, self.seen, self.met, self.over = threading.Lock(), [], [], False

    def meets(self, call):
        """Whether it is to happen to this call, which counts."""
        right = not self._verbs or call.verb in self._verbs
        if not right or any(getattr(call, k) != v for k, v in self._which.items()) or not self._where(call):
            return False
        call.way = call.way or (call.verb, call.kind, *way())
        with self._lock:
            self.seen.append(call)
            return len(self.seen) in self._at

    def happen(self, call):
        """Do it."""
        self.met.append(call)
        if callable(self._what) and not isinstance(self._what, type):
            return self._what(call)
        self.over = self._what is Killed
        raise self._what if isinstance(self._what, type) else self._what.with_traceback(None)

    def way(self, number):
        """How the program came to the call of that number, and what it called there on which kind."""
        return self.seen[number - 1].way

    def points(self, *seed):
        """The numbers of the calls; sampled, one of those that one function makes in the same step on one kind."""
        return sampled(range(1, len(self.seen) + 1), self.way, seed)


def just_before(what, *verbs, **which):
    """As Fault has it, before the port hears of the call."""
    return Fault("before", what, verbs, **which)


def just_after(what, *verbs, **which):
    """As Fault has it, once the call took effect; not where it failed by itself."""
    return Fault("after", what, verbs, **which)


def instead(what, *verbs, **which):
    """As Fault has it, and the port hears nothing but what `Call.go_on` tells it."""
    return Fault("instead", what, verbs, **which)


def counted(*verbs, **which):
    """Nothing happens; `seen` are the calls."""
    return just_before(lambda call: None, *verbs, **which)


def kills(at, late, *verbs, **which):
    """The end of a process right before the call of that number, or right after it took effect."""
    return (just_after if late else just_before)(Killed, *verbs, at=at, **which)


class FaultyPort:
    """A Cluster, or any other port, with faults."""

    def __init__(self, port, *faults):
        self._port, self._faults = port, faults

    def __getattr__(self, verb):
        real = getattr(self._port, verb)
        if not callable(real):
            return real
        return lambda *args, **more: self._answer(Call(real, verb, args, more))

    def _answer(self, call):
        if any(f.over for f in self._faults):
            raise Killed
        due = {"before": [], "instead": [], "after": []}
        for fault in self._faults:
            if fault.meets(call):
                due[fault.when].append(fault)
        for fault in due["before"]:
            fault.happen(call)
        call.answer = due["instead"][0].happen(call) if due["instead"] else call.go_on()
        for fault in due["after"]:
            fault.happen(call)
        return call.answer
