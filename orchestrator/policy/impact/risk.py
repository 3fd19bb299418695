"""How much a change of the network could hurt, by rules that a source can set."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from orchestrator.policy.impact.impact import Impact
from orchestrator.policy.network.connection_diff import Change, Word
from orchestrator.wording import many

Level = Literal["none", "low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("none", "low", "medium", "high")
RiskKind = Literal[
    "internet",
    "opened",
    "cut",
    "widened",
    "narrowed",
    "isolated",
    "dns",
    "scrape",
    "ownPath",
    "workloads",
    "many",
]
KINDS: tuple[RiskKind, ...] = get_args(RiskKind)

_WORDS: dict[RiskKind, tuple[str, str]] = {
    "internet": ("workload", "newly open to the internet"),
    "opened": ("connection", "opened"),
    "cut": ("connection", "cut"),
    "widened": ("connection", "widened"),
    "narrowed": ("connection", "narrowed"),
    "isolated": ("workload", "newly isolated"),
    "dns": ("workload", "without DNS"),
    "scrape": ("metrics scrape", "cut"),
    "ownPath": ("way of netpol-canary's own", "cut"),
    "workloads": ("connection", "of workloads that come or go"),
}


class RiskRules(BaseModel):
    """The level that each kind of change has.

    `many` connections opened, widened or cut are high together; one that is narrowed keeps every port that is known to be
    used.

    `acceptedByOthers` asks for acceptances of `check` by somebody other than the author of the change.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    internet: Level = "high"
    opened: Level = "medium"
    cut: Level = "medium"
    widened: Level | None = None
    narrowed: Level | None = None
    isolated: Level = "low"
    dns: Level = "high"
    scrape: Level = "high"
    own_path: Level = "high"
    workloads: Level = "low"
    many: Annotated[int, Field(ge=1, le=1000000)] = 20
    accepted_by_others: bool = False

    def of(self, word: Word) -> Level:
        """The level of what becomes of a connection: without one of its own, widened is as opened, and narrowed low."""
        if word == "widened":
            return self.widened or self.opened
        if word == "narrowed":
            return self.narrowed or LEVELS[min(LEVELS.index("low"), LEVELS.index(self.cut))]
        return self.opened if word == "opened" else self.cut


@dataclass(frozen=True)
class Risk:
    """`reasons` say what makes it so, `kinds` what of it the change does, whatever level that has."""

    level: Level
    reasons: tuple[str, ...]
    kinds: tuple[RiskKind, ...] = ()


def risk(
    changes: Sequence[Change],
    effect: Impact,
    rules: RiskRules | None = None,
    left_open: int = 0,
    unread: Sequence[str] = (),
) -> Risk:
    """The highest level of all that the change does.

    `left_open` is how many changed rules may open what nobody knows, `unread` the kinds of standing policies that cannot be read.
    """
    asked = rules or RiskRules()
    known = [c for c in changes if not c.note]
    words = Counter(word for c in known for word in c.words)
    counts: tuple[tuple[RiskKind, Level, int], ...] = (
        ("internet", asked.internet, len(effect.exposed)),
        ("opened", asked.of("opened"), words["opened"]),
        ("cut", asked.of("cut"), words["cut"]),
        ("widened", asked.of("widened"), words["widened"]),
        ("narrowed", asked.of("narrowed"), words["narrowed"]),
        ("isolated", asked.isolated, effect.isolated_workloads),
        ("dns", asked.dns, len(effect.without_dns)),
        ("scrape", asked.scrape, len(effect.scrapes)),
        ("ownPath", asked.own_path, len(effect.own)),
        ("workloads", asked.workloads, len(changes) - len(known)),
    )
    found = [(kind, level, reason(kind, number)) for kind, level, number in counts if number]
    if left_open:
        found.append(("opened", asked.of("opened"), may_open(left_open)))
    if unread:
        text = f"policies of the kind {' and '.join(unread)} cannot be read, and may decide otherwise"
        found.append(("opened", asked.of("opened"), text))
    if words["opened"] + words["widened"] + words["cut"] > asked.many:
        found.append(("many", "high", f"more than {asked.many} connections opened, widened or cut"))
    level: Level = max((level for _, level, _ in found), key=LEVELS.index, default="none")
    texts = tuple(text for _, _, text in found) or ("no connection changes",)
    return Risk(level, texts, tuple(dict.fromkeys(kind for kind, _, _ in found)))


def may_open(number: int) -> str:
    """`2 changed rules may open or cut connections`."""
    return f"{many(number, 'changed rule')} may open or cut connections"


def reason(kind: RiskKind, number: int) -> str:
    """`2 connections opened`."""
    what, how = _WORDS[kind]
    return f"{many(number, what)} {how}"
