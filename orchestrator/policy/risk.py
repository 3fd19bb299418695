"""How much a change of the network could hurt, by rules that a source can set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from orchestrator.policy.connection_diff import Change
from orchestrator.policy.impact import Impact

Level = Literal["none", "low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("none", "low", "medium", "high")
RiskKind = Literal["internet", "opened", "cut", "isolated", "dns", "scrape", "ownPath", "workloads", "many"]
KINDS: tuple[RiskKind, ...] = get_args(RiskKind)


class RiskRules(BaseModel):
    """The level that each kind of change has; `many` connections opened or cut are high together."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    internet: Level = "high"
    opened: Level = "medium"
    cut: Level = "medium"
    isolated: Level = "low"
    dns: Level = "high"
    scrape: Level = "high"
    own_path: Level = "high"
    workloads: Level = "low"
    many: Annotated[int, Field(ge=1, le=1000000)] = 20


@dataclass(frozen=True)
class Risk:
    """`reasons` say what makes it so, `kinds` what of it the change does, whatever level that has."""

    level: Level
    reasons: tuple[str, ...]
    kinds: tuple[RiskKind, ...] = ()


def risk(changes: Sequence[Change], effect: Impact, rules: RiskRules | None = None) -> Risk:
    """The highest level of all that the change does."""
    asked = rules or RiskRules()
    known = [c for c in changes if not c.note]
    opened = sum(bool(c.after & ~c.before) for c in known)
    cut = sum(bool(c.before & ~c.after) for c in known)
    counts: tuple[tuple[RiskKind, Level, int, str, str], ...] = (
        ("internet", asked.internet, len(effect.exposed), "workload", "newly open to the internet"),
        ("opened", asked.opened, opened, "connection", "opened"),
        ("cut", asked.cut, cut, "connection", "cut"),
        ("isolated", asked.isolated, len(effect.isolated), "workload", "newly isolated"),
        ("dns", asked.dns, len(effect.without_dns), "workload", "without DNS"),
        ("scrape", asked.scrape, len(effect.scrapes), "metrics scrape", "cut"),
        ("ownPath", asked.own_path, len(effect.own), "way of netpol-canary's own", "cut"),
        (
            "workloads",
            asked.workloads,
            len(changes) - len(known),
            "connection",
            "of workloads that come or go",
        ),
    )
    found = [
        (kind, level, f"{_many(number, what)} {how}") for kind, level, number, what, how in counts if number
    ]
    if opened + cut > asked.many:
        found.append(("many", "high", f"more than {asked.many} connections altered"))
    level: Level = max((level for _, level, _ in found), key=LEVELS.index, default="none")
    texts = tuple(text for _, _, text in found) or ("no connection changes",)
    return Risk(level, texts, tuple(kind for kind, _, _ in found))


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
