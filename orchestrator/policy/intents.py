"""What a network is meant to allow, as a file beside the policies (kind PolicyTest), and whether it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from orchestrator.errors import BadInput
from orchestrator.policy.connection_diff import located
from orchestrator.policy.evaluator import Network
from orchestrator.policy.fleet import Fleet
from orchestrator.policy.manifest import Document
from orchestrator.policy.pod import End, Pod
from orchestrator.policy.selector import matches

KIND = "PolicyTest"
INTERNET = "192.0.2.1"
MOST_SHOWN = 5


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Ends(_Model):
    """Workloads by namespace, by labels or by name; or an address; or the internet. All that is given must hold."""

    namespace: str = ""
    namespace_labels: dict[str, str] = {}
    labels: dict[str, str] = {}
    workload: str = ""
    address: str = ""
    internet: bool = False

    def find(self, fleet: Fleet) -> list[End]:
        """Every end that is meant."""
        if self.internet or self.address:
            return [self.address or INTERNET]
        return [
            w.pod
            for w in fleet.workloads
            if self.namespace in ("", w.pod.namespace)
            and self.workload in ("", w.pod.name, f"{w.pod.namespace}/{w.pod.name}")
            and matches({"matchLabels": self.namespace_labels}, fleet.namespaces.get(w.pod.namespace, {}))
            and matches({"matchLabels": self.labels}, w.pod.labels)
        ]


class Port(_Model):
    """A port at the destination."""

    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Intent(_Model):
    """`reach`: every such connection must be allowed. `blocked`: none may be."""

    name: str
    expect: Literal["reach", "blocked"]
    from_: Annotated[Ends, Field(alias="from")]
    to: Ends
    ports: Annotated[list[Port], Field(min_length=1, max_length=100)]
    reason: str = ""


class OnlyFrom(_Model):
    """Nobody but these may reach the destination, on any of its declared ports."""

    name: str
    to: Ends
    only_from: list[Ends]
    reason: str = ""


class PolicyTest(_Model):
    """The spec of a PolicyTest."""

    intents: Annotated[list[Intent], Field(max_length=5000)] = []
    only: Annotated[list[OnlyFrom], Field(max_length=1000)] = []


@dataclass(frozen=True)
class Result:
    """What came of an intent: `problems` is empty where it holds; `where` is its file and line."""

    name: str
    where: str
    problems: tuple[str, ...]
    reason: str = ""
    checked: int = 0


def tests_of(documents: Iterable[Document]) -> list[tuple[PolicyTest, str]]:
    """The PolicyTests among documents, with file and line. Raises BadInput that names the field."""
    found = []
    for document in documents:
        if document.obj["kind"] != KIND:
            continue
        where = f"{document.path}:{document.line}"
        try:
            found.append((PolicyTest.model_validate(document.obj.get("spec") or {}), where))
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            raise BadInput(f"{KIND} spec.{path}: {first['msg']}", where) from None
    return found


def run(fleet: Fleet, tests: Sequence[tuple[PolicyTest, str]], settled: dict[str, bool]) -> list[Result]:
    """Check every intent against the policies."""
    net = fleet.network(settled)
    found = []
    for test, where in tests:
        found += [_intent(fleet, net, intent, where) for intent in test.intents]
        found += [_only(fleet, net, rule, where) for rule in test.only]
    return found


def _intent(fleet: Fleet, net: Network, intent: Intent, where: str) -> Result:
    sources, targets = intent.from_.find(fleet), intent.to.find(fleet)
    problems = [
        f"`{word}` selects no workload" for word, ends in (("from", sources), ("to", targets)) if not ends
    ]
    wanted, checked = intent.expect == "reach", 0
    for src in sources:
        for dst in targets:
            for port in intent.ports if src is not dst else ():
                checked += 1
                problems += _wrong(fleet, net, (src, dst), (port.protocol, port.port), wanted)
    return Result(intent.name, where, tuple(problems), intent.reason, checked)


def _only(fleet: Fleet, net: Network, rule: OnlyFrom, where: str) -> Result:
    targets = rule.to.find(fleet)
    problems = [] if targets else ["`to` selects no workload"]
    meant = {id(end) for ends in rule.only_from for end in ends.find(fleet)}
    outside = any(ends.internet for ends in rule.only_from)
    others: list[End] = [w.pod for w in fleet.workloads if id(w.pod) not in meant]
    others += [] if outside else [INTERNET]
    checked = 0
    for dst in targets:
        for src in others:
            for port in dst.ports if isinstance(dst, Pod) and src is not dst else ():
                checked += 1
                problems += _wrong(fleet, net, (src, dst), (port.protocol, port.port), False)
    return Result(rule.name, where, tuple(problems), rule.reason, checked)


def _wrong(
    fleet: Fleet, net: Network, ends: tuple[End, End], port: tuple[str, int], wanted: bool
) -> Iterator[str]:
    decision = net.decide(*ends, *port)
    if decision.allowed is wanted:
        return
    word = {True: "is allowed", False: "is blocked", None: "depends on the CNI"}[decision.allowed]
    deciding = [w for w in decision.why if decision.allowed is None or w.allowed == decision.allowed]
    rules = "; ".join(f"{w.side}: {', '.join(located(fleet, r) for r in w.rules[:3])}" for w in deciding)
    names = [e if isinstance(e, str) else f"{e.namespace}/{e.name}" for e in ends]
    yield f"{names[0]} to {names[1]} on {port[1]}/{port[0]} {word} ({rules or 'no policy'})"


def shown(result: Result) -> list[str]:
    """The first problems, and how many more there are."""
    more = len(result.problems) - MOST_SHOWN
    return [*result.problems[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def as_data(result: Result) -> dict[str, Any]:
    """A result as plain data."""
    return {
        "name": result.name,
        "where": result.where,
        "passed": not result.problems,
        "checked": result.checked,
        "reason": result.reason,
        "problems": list(result.problems),
    }
