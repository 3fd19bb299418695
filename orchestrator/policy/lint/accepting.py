"""Findings that somebody accepted by name: which one, why and until when; each lowers that one and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator.policy.impact.risk import KINDS, RiskKind
from orchestrator.policy.impact.weighing import Item
from orchestrator.policy.lint.findings import RULES, Finding
from orchestrator.policy.objects import port_sets as ports

# Which ends a finding of this kind has: without them an acceptance would be one of many findings.
_ENDS: dict[str, tuple[str, ...]] = {"internet": ("to",), "isolated": ("to",), "dns": ("from",)}
# A connection that is accepted as the one is not held up as the other.
_COVERS: dict[str, tuple[RiskKind, ...]] = {
    "internet": ("opened", "widened"),
    "opened": ("widened",),
    "cut": ("narrowed",),
    "scrape": ("cut", "narrowed"),
    "ownPath": ("cut", "narrowed"),
}
_RISKS = tuple(kind for kind in KINDS if kind != "many")
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Acceptance(BaseModel):
    """`finding` is a kind of risk, with the connection, or a rule of lint, with the object that it is about."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    finding: Annotated[Text, Field(json_schema_extra={"enum": [*_RISKS, *RULES]})]
    src: Annotated[str, Field(alias="from", max_length=500)] = ""
    dst: Annotated[str, Field(alias="to", max_length=500)] = ""
    subject: Annotated[str, Field(max_length=500)] = ""
    ports: Annotated[list[int | str], Field(max_length=100)] = []
    reason: Text
    until: date

    @model_validator(mode="after")
    def _names_one(self) -> Acceptance:
        if self.finding in RULES:
            if not self.subject or self.src or self.dst or self.ports:
                raise ValueError(f"{self.finding} is accepted for a `subject`, such as NetworkPolicy shop/db")
            return self
        if self.finding not in _RISKS:
            raise ValueError(f"finding is a rule of lint, or one of {', '.join(_RISKS)}")
        given = {"from": self.src, "to": self.dst}
        lacking = [end for end in _ENDS.get(self.finding, ("from", "to")) if not given[end]]
        if lacking:
            raise ValueError(
                f"{self.finding} is accepted for a connection: `{'` and `'.join(lacking)}` must be given"
            )
        if self.subject:
            raise ValueError(f"{self.finding} is accepted for a connection, which has no `subject`")
        self.mask()
        return self

    def mask(self) -> int:
        """The ports that it is for, as in ports.py; every port where none is named. Raises ValueError."""
        found = ports.NONE
        for entry in self.ports:
            number, _, protocol = str(entry).partition("/")
            first, _, last = number.partition("-")
            if not (first.isdigit() and (last or first).isdigit()):
                raise ValueError(f"{entry} is not a port: write 8080, 8000-8080 or 53/UDP")
            one = ports.span(protocol.upper() or "TCP", int(first), int(last or first))
            if not one or int(last or first) > 65535 or int(first) < 1:
                raise ValueError(f"{entry} is not a port: write 8080, 8000-8080 or 53/UDP")
            found |= one
        return found or ports.ALL


@dataclass(frozen=True)
class Accepted:
    """An acceptance, where it stands, and by whom; `void` says why it does not count."""

    acceptance: Acceptance
    where: str
    by: str = ""
    void: str = ""

    @property
    def said(self) -> str:
        """Why it was accepted, by whom, until when."""
        by = f" by {self.by}" if self.by else ""
        return f"accepted{by} until {self.acceptance.until:%Y-%m-%d}: {self.acceptance.reason}"


def current(given: Iterable[Accepted], today: date) -> list[Accepted]:
    """The same, with those that are past their day void."""
    return [
        replace(a, void=f"it was good until {a.acceptance.until:%Y-%m-%d}")
        if not a.void and a.acceptance.until < today
        else a
        for a in given
    ]


def of_item(item: Item, given: Sequence[Accepted]) -> list[Accepted]:
    """The acceptances that mean this item, void ones included."""
    return [a for a in given if _means(a.acceptance, item)]


def of_finding(finding: Finding, given: Sequence[Accepted]) -> list[Accepted]:
    """The acceptances that mean this finding of lint, void ones included."""
    return [
        a
        for a in given
        if a.acceptance.finding == finding.rule.id and _same(a.acceptance.subject, finding.subject)
    ]


def _means(acceptance: Acceptance, item: Item) -> bool:
    if item.kind not in (acceptance.finding, *_COVERS.get(acceptance.finding, ())):
        return False
    src = acceptance.src or ("internet" if acceptance.finding == "internet" else "")
    ends = all(
        not wanted or _same(wanted, name) for wanted, name in ((src, item.src), (acceptance.dst, item.dst))
    )
    return ends and not item.ports & ~acceptance.mask()


def _same(wanted: str, name: str) -> bool:
    """`shop/db` names `shop/db[StatefulSet]` and `shop/db (ingress)`, too."""
    return wanted in (name, name.partition("[")[0], name.partition(" (")[0])
