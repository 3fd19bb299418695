"""Intents as real connections to try, and what their answers say of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from orchestrator.policy.author.intents import Ends, Intent, OnlyFrom, OnlyTo, PolicyTest
from orchestrator.policy.objects.pod import End, Pod, of_one, one_pod
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.wording import agreeing, many

T = TypeVar("T")
Rule = Intent | OnlyFrom | OnlyTo
State = Literal["holds", "fails", "unknown", "skipped"]
MOST_PER_INTENT = 50
MOST_TRIED = 400


@dataclass(frozen=True)
class Connection:
    """One attempt: `namespace/name`, or an address as destination; `reach` is what should come of it."""

    source: str
    destination: str
    port: int
    protocol: str
    reach: bool

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.source} to {self.destination} on {self.port}/{self.protocol}"

    @property
    def check(self) -> str:
        """Over UDP only a resolver answers whoever asks."""
        return "dns" if (self.port, self.protocol) == (53, "UDP") else "connect"


@dataclass(frozen=True)
class Trial:
    """What is tried for an intent or rule: some of `possible` connections. `untried` says what no probe can ask."""

    name: str
    where: str
    reason: str = ""
    connections: tuple[Connection, ...] = ()
    possible: int = 0
    problems: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a trial. Without any answer it is unknown, or skipped where no probe can ask at all."""

    trial: Trial
    state: State
    problems: tuple[str, ...] = ()


def trials(fleet: Fleet, tests: Sequence[tuple[PolicyTest, str]], within: Sequence[str] = ()) -> list[Trial]:
    """One a rule, in order; probes start in the namespaces `within` only, where some are given.

    At most MOST_TRIED connections in all, each rule's evenly spread over what it means.
    """
    rules: list[tuple[Rule, str]] = []
    for test, where in tests:
        rules += [(rule, where) for rule in test.intents]
        rules += [(rule, where) for rule in test.only]
        rules += [(rule, where) for rule in test.internet]
    most = max(1, min(MOST_PER_INTENT, MOST_TRIED // max(1, len(rules))))
    found, left = [], MOST_TRIED
    for rule, where in rules:
        trial = _trial(fleet, rule, where, frozenset(within), min(most, left))
        left -= len(trial.connections)
        found.append(trial)
    return found


def _trial(fleet: Fleet, rule: Rule, where: str, within: frozenset[str], most: int) -> Trial:
    if isinstance(rule, OnlyTo):
        return Trial(rule.name, where, rule.reason, untried=("a probe cannot come from the internet",))
    problems, untried, meant = _intent(fleet, rule) if isinstance(rule, Intent) else _only(fleet, rule)
    kept = [c for c in dict.fromkeys(meant) if not within or c.source.split("/")[0] in within]
    if within and len(kept) < len(set(meant)):
        others = len(set(meant)) - len(kept)
        said = f"{many(others, 'connection')} {agreeing(others, 'starts', 'start')}"
        untried.append(f"{said} in other namespaces")
    some = tuple(spread(kept, most))
    return Trial(rule.name, where, rule.reason, some, len(kept), tuple(problems), tuple(untried))


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many, at even distances."""
    count = min(most, len(items))
    return [items[number * len(items) // count] for number in range(count)]


def _intent(fleet: Fleet, intent: Intent) -> tuple[list[str], list[str], list[Connection]]:
    """What is wrong already, what cannot be tried, and the connections."""
    problems, untried = [], []
    sources, targets = _workloads(fleet, intent.from_), _destinations(fleet, intent.to)
    if intent.from_.address or intent.from_.internet:
        untried.append("a probe cannot start outside the cluster")
    elif not sources:
        problems.append("`from` selects no workload that runs")
    if intent.to.internet:
        untried.append("no single address stands for the internet")
    elif not targets:
        problems.append("`to` selects no workload that runs")
    asked = [(p.protocol, p.port) for p in intent.ports]
    found = _pairs(sources, targets, intent.expect == "reach", lambda target: asked)
    return problems, untried, list(found)


def _only(fleet: Fleet, rule: OnlyFrom) -> tuple[list[str], list[str], list[Connection]]:
    meant = {w.name for ends in rule.only_from for w in _workloads(fleet, ends)}
    targets = _workloads(fleet, rule.to)
    problems = [] if targets else ["`to` selects no workload that runs"]
    problems += [
        f"`onlyFrom[{at}]` selects no workload that runs"
        for at, ends in enumerate(rule.only_from)
        if not (ends.address or ends.internet or _workloads(fleet, ends))
    ]
    untried = ["whether somebody outside the cluster may use it"]
    untried += [f"{w.name}: it declares no port" for w in targets if not w.pod.ports]
    others = [w for w in fleet.workloads if w.name not in meant]
    found = _pairs(
        others,
        targets,
        False,
        lambda w: [(p.protocol, p.port) for p in w.pod.ports] if not isinstance(w, str) else [],
        of_one,
    )
    return problems, untried, list(found)


def _pairs(
    sources: Sequence[Workload],
    targets: Sequence[Workload | str],
    reach: bool,
    asked: Any,
    itself: Callable[[End, End], bool] = one_pod,
) -> Iterator[Connection]:
    for src in sources:
        for dst in targets:
            if isinstance(dst, str) or not itself(src.pod, dst.pod):
                for protocol, port in asked(dst):
                    yield Connection(
                        _place(src), dst if isinstance(dst, str) else _place(dst), port, protocol, reach
                    )


def _place(workload: Workload) -> str:
    return f"{workload.pod.namespace}/{workload.pod.name}"


def _workloads(fleet: Fleet, ends: Ends) -> list[Workload]:
    if ends.address or ends.internet:
        return []
    chosen = {id(end) for end in ends.find(fleet) if isinstance(end, Pod)}
    return [w for w in fleet.workloads if id(w.pod) in chosen]


def _destinations(fleet: Fleet, ends: Ends) -> list[Workload | str]:
    return [ends.address] if ends.address else [*_workloads(fleet, ends)]


def outcome(trial: Trial, answers: Sequence[tuple[bool | None, str]]) -> Outcome:
    """From what was observed of each of its connections, None for no answer, and the message."""
    wrong, unknown = [], []
    for connection, (observed, message) in zip(trial.connections, answers, strict=True):
        if observed is None:
            unknown.append(f"{connection.name}: not known ({message})")
        elif observed is not connection.reach:
            word = "connects, which it must not" if observed else "does not connect"
            wrong.append(f"{connection.name} {word} ({message})")
    if trial.problems or wrong:
        return Outcome(trial, "fails", (*trial.problems, *wrong, *unknown))
    if unknown:
        return Outcome(trial, "unknown", tuple(unknown))
    if not trial.connections:
        if trial.possible:
            return Outcome(trial, "unknown", (f"not tried: more than {MOST_TRIED} connections",))
        return Outcome(trial, "skipped")
    return Outcome(trial, "holds")
