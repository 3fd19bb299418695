"""What a network is meant to allow, as a file beside the policies (kind PolicyTest), and whether it does."""

import ipaddress
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.files.model_problem import first_problem
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.policy.network.outside import EXAMPLE as EXAMPLE
from orchestrator.policy.network.outside import INTERNET, meant, said_once, sample
from orchestrator.policy.network.outside import PRIVATE as PRIVATE
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.pod import End, Pod, of_one, one_pod
from orchestrator.policy.objects.selector import matches
from orchestrator.policy.workloads.citing import located
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import first

KIND = "PolicyTest"
MOST_SHOWN = 5
_NOT_KNOWN = "it is not known: "


# What is not as it is meant: both ends, and what else is said of it.
Wrong = tuple[End, End, str]
E = TypeVar("E", bound=End)


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

    @field_validator("address")
    @classmethod
    def _is_address(cls, text: str) -> str:
        return str(ipaddress.ip_address(text)) if text else text

    def find(self, fleet: Fleet) -> list[End]:
        """Every end that is meant."""
        if self.address:
            return [self.address]
        if self.internet:
            return list(public(fleet))
        return [
            w.pod
            for w in fleet.workloads
            if self.namespace in ("", w.pod.namespace)
            and self.workload in ("", w.pod.name, f"{w.pod.namespace}/{w.pod.name}")
            and matches({"matchLabels": self.namespace_labels}, fleet.namespaces.get(w.pod.namespace, {}))
            and matches({"matchLabels": self.labels}, w.pod.labels)
        ]

    def may_mean(self, hidden: str) -> bool:
        """Whether a workload may be meant of which the name alone is known, `namespace/name[Kind]`."""
        name = hidden.rpartition("[")[0]
        space, _, short = name.partition("/")
        outside = self.address or self.internet
        return not outside and self.namespace in ("", space) and self.workload in ("", short, name)


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
    """Nobody but these and its own replicas may reach the destination, on any of its declared ports."""

    name: str
    to: Ends
    only_from: list[Ends]
    reason: str = ""


class OnlyTo(_Model):
    """Nobody but these may be reached from the internet, on any port."""

    name: str
    only_to: list[Ends]
    reason: str = ""


class PolicyTest(_Model):
    """What a network is meant to allow, and what it is not."""

    intents: Annotated[list[Intent], Field(max_length=5000)] = []
    only: Annotated[list[OnlyFrom], Field(max_length=1000)] = []
    internet: Annotated[list[OnlyTo], Field(max_length=100)] = []


@dataclass(frozen=True)
class Result:
    """What came of an intent: `problems` is empty where it holds; `where` is its test's file and line, `field` its own place there.

    `unmatched` says that it names ends which are not here, or of which nothing is known: that is no answer about policies.
    """

    name: str
    where: str
    problems: tuple[str, ...]
    reason: str = ""
    checked: int = 0
    unmatched: bool = False
    field: str = ""

    @property
    def unknown(self) -> bool:
        """Whether nothing is wrong with it but that the answer is not known."""
        return bool(self.problems) and all(p.startswith(_NOT_KNOWN) for p in self.problems)


def tests_of(documents: Iterable[Document]) -> list[tuple[PolicyTest, str]]:
    """The PolicyTests among documents, with file and line. Raises BadInput that names the field."""
    found = []
    for document in documents:
        if document.obj["kind"] != KIND:
            continue
        where = document.where
        try:
            found.append((PolicyTest.model_validate(document.obj.get("spec") or {}), where))
        except ValidationError as error:
            wrong = first_problem(error, PolicyTest, "spec")
            text = f"{KIND} {wrong.field}: {wrong.what}"
            raise BadInput(text, where, wrong.fix, document.cited(wrong.field)) from None
    return found


def run(fleet: Fleet, tests: Sequence[tuple[PolicyTest, str]], settled: dict[str, bool]) -> list[Result]:
    """Check every intent against the policies."""
    net = fleet.network(settled)
    found = []
    for test, where in tests:
        parts = {
            "intents": [_intent(fleet, net, intent, where) for intent in test.intents],
            "only": [_only(fleet, net, rule, where) for rule in test.only],
            "internet": [_exposed(fleet, net, rule, where) for rule in test.internet],
        }
        for part, results in parts.items():
            found += [replace(r, field=f"{part}[{number}]") for number, r in enumerate(results)]
    return found


def _intent(fleet: Fleet, net: Network, intent: Intent, where: str) -> Result:
    sources, targets = intent.from_.find(fleet), intent.to.find(fleet)
    missing = [
        _missing(fleet, word, ends)
        for word, ends, found in (("from", intent.from_, sources), ("to", intent.to, targets))
        if not found
    ]
    hidden = [n for n in fleet.obscured.workloads if intent.from_.may_mean(n) or intent.to.may_mean(n)]
    missing += _unknown(fleet, [*sources, *targets], hidden)
    sources, targets = _known(fleet, sources), _known(fleet, targets)
    wrong: list[Wrong] = []
    wanted, checked = intent.expect == "reach", 0
    for src in sources:
        for dst in targets:
            for port in intent.ports if not one_pod(src, dst) else ():
                checked += 1
                wrong += _wrong(fleet, net, (src, dst), (port.protocol, port.port), wanted)
    problems = (*missing, *_told(wrong))
    return Result(intent.name, where, problems, intent.reason, checked, bool(missing))


def _missing(fleet: Fleet, word: str, ends: Ends) -> str:
    """That ends select nothing, and what may have been meant instead."""
    pods = [w.pod for w in fleet.workloads if ends.namespace in ("", w.pod.namespace)]
    hint = ""
    if ends.namespace and not fleet.within(ends.namespace):
        hint = did_you_mean(ends.namespace, {w.pod.namespace for w in fleet.workloads}, "")
    elif ends.workload:
        hint = did_you_mean(ends.workload, [f"{p.namespace}/{p.name}" for p in pods], "")
    elif ends.labels:
        wanted = ", ".join(f"{k}={v}" for k, v in ends.labels.items())
        hint = did_you_mean(wanted, {f"{k}={v}" for p in pods for k, v in p.labels.items()}, "")
    return f"`{word}` selects no workload{f'; {hint}' if hint else ''}"


def _unknown(fleet: Fleet, ends: Iterable[End], hidden: Iterable[str]) -> Iterator[str]:
    """That the answer is not known: rules may select a namespace by labels that cannot be read, or a workload that is hidden."""
    spaces = {end.namespace for end in ends if isinstance(end, Pod)}
    for space in sorted(fleet.obscured.unlabelled & spaces):
        yield f"{_NOT_KNOWN}the labels of namespace {space} cannot be read"
    for name in islice(hidden, MOST_SHOWN):
        yield f"{_NOT_KNOWN}{name} cannot be read"


def _known(fleet: Fleet, ends: Sequence[E]) -> list[E]:
    return [e for e in ends if not isinstance(e, Pod) or e.namespace not in fleet.obscured.unlabelled]


def holding(
    old: Fleet,
    new: Fleet,
    tests: Sequence[tuple[PolicyTest, str]],
    near: Container[str],
    most: int,
    settled: dict[str, bool] | None = None,
) -> list[tuple[Intent, Pod, Pod, Port]]:
    """Connections that intents name, with an end in these namespaces, answered as meant before and after."""
    nets = (old.network(settled), new.network(settled))
    found: list[tuple[Intent, Pod, Pod, Port]] = []
    for intent in (i for test, _ in tests for i in test.intents):
        for src in intent.from_.find(new):
            for dst in intent.to.find(new):
                if not isinstance(src, Pod) or not isinstance(dst, Pod) or one_pod(src, dst):
                    continue
                if src.namespace not in near and dst.namespace not in near:
                    continue
                for port in intent.ports:
                    asked = (src, dst, port.protocol, port.port)
                    if (
                        all(n.allowed(*asked) == (intent.expect == "reach") for n in nets)
                        and len(found) < most
                    ):
                        found.append((intent, src, dst, port))
    return found


def _only(fleet: Fleet, net: Network, rule: OnlyFrom, where: str) -> Result:
    targets = rule.to.find(fleet)
    missing = [] if targets else [_missing(fleet, "to", rule.to)]
    meant, nobody = _meant(fleet, "onlyFrom", [e for e in rule.only_from if not (e.internet or e.address)])
    wrong: list[Wrong] = []
    others: list[End] = [w.pod for w in fleet.workloads if id(w.pod) not in meant]
    named = {ends.address for ends in rule.only_from}
    others += [] if any(ends.internet for ends in rule.only_from) else public(fleet, named)
    missing += _unknown(fleet, [*targets, *others], fleet.obscured.workloads)
    targets, others = _known(fleet, targets), _known(fleet, others)
    checked = 0
    for dst in targets:
        for src in others:
            for protocol, port in _asked(net, src, dst) if not of_one(src, dst) else ():
                checked += 1
                wrong += _wrong(fleet, net, (src, dst), (protocol, port), False)
    problems = (*missing, *nobody, *_told(wrong))
    return Result(rule.name, where, problems, rule.reason, checked, bool(missing or nobody))


def _meant(fleet: Fleet, word: str, named: Sequence[Ends]) -> tuple[set[int], list[str]]:
    """The pods that are excepted, and which exceptions select none: a misspelt one must not read as met."""
    found = [(at, ends, [e for e in ends.find(fleet) if isinstance(e, Pod)]) for at, ends in enumerate(named)]
    missing = [_missing(fleet, f"{word}[{at}]", ends) for at, ends, pods in found if not pods]
    return {id(pod) for _, _, pods in found for pod in pods}, missing


def _asked(net: Network, src: End, dst: End) -> list[tuple[str, int]]:
    """The declared ports; where none is declared, the first one that is open, if any is."""
    if isinstance(dst, Pod) and dst.ports:
        return [(p.protocol, p.port) for p in dst.ports]
    return _first(net.over_ports(src, dst, ports.ALL)) or [("TCP", 1)]


def _first(mask: int) -> list[tuple[str, int]]:
    return [(protocol, first) for protocol in ports.PROTOCOLS for first, _ in ports.runs(mask, protocol)][:1]


def _exposed(fleet: Fleet, net: Network, rule: OnlyTo, where: str) -> Result:
    meant, nobody = _meant(fleet, "onlyTo", rule.only_to)
    wrong: list[Wrong] = []
    others = [w.pod for w in fleet.workloads if id(w.pod) not in meant]
    nobody += _unknown(fleet, others, fleet.obscured.workloads)
    others = _known(fleet, others)
    for pod in others:
        for address in public(fleet):
            for protocol, port in _first(net.over_ports(address, pod, ports.ALL)):
                wrong += _wrong(fleet, net, (address, pod), (protocol, port), False)
    problems = (*nobody, *_told(wrong))
    return Result(rule.name, where, problems, rule.reason, len(others), bool(nobody))


def public(fleet: Fleet, but: Container[str] = ()) -> list[End]:
    """An address of each range on the internet that the policies tell apart, ranges of one of `but` alone aside."""
    spans = [s for s in ranges(fleet) if s.first != s.last or str(s.first) not in but]
    return [sample(s) for s in meant(INTERNET, spans)]


def _wrong(
    fleet: Fleet, net: Network, ends: tuple[End, End], port: tuple[str, int], wanted: bool
) -> Iterator[Wrong]:
    decision = net.decide(*ends, *port)
    if decision.allowed is wanted:
        return
    word = {True: "is allowed", False: "is blocked", None: "depends on the CNI"}[decision.allowed]
    deciding = [w for w in decision.why if decision.allowed is None or w.allowed == decision.allowed]
    rules = "; ".join(
        f"{w.side}: {', '.join(located(fleet, r, field=deep) for r, deep in islice(w.cited, 3))}"
        for w in deciding
    )
    yield *ends, f"on {port[1]}/{port[0]} {word} ({rules or 'no policy'})"


def _told(wrong: Iterable[Wrong]) -> Iterator[str]:
    for src, dst, text in said_once(wrong):
        yield f"{src} to {dst} {text}"


def shown(result: Result) -> list[str]:
    """The first problems, and how many more there are."""
    return first(result.problems, MOST_SHOWN)


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
