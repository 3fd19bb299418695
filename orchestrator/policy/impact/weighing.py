"""What a change does, one item a connection or workload, each with its level of risk; what is accepted counts as low."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.policy.files.doubles import bare
from orchestrator.policy.impact.impact import Impact, workloads_of
from orchestrator.policy.impact.risk import KINDS, LEVELS, Level, Risk, RiskKind, RiskRules, may_open, reason
from orchestrator.policy.network.connection_diff import Change
from orchestrator.policy.network.left_open import LeftOpen
from orchestrator.policy.network.outside import Row, gathered
from orchestrator.policy.objects import port_sets as ports


@dataclass(frozen=True)
class Item:
    """One end is empty where it is about a workload alone; `ports` is a set as in ports.py, empty where none is meant; `kept` are those that stay open beside.

    `left_open`: nobody knows what a rule opens; `src` is its policy, and `dst` its place there.
    """

    kind: RiskKind
    level: Level
    src: str
    dst: str
    ports: int = 0
    because: tuple[str, ...] = ()
    accepted: str = ""
    kept: int = 0
    left_open: bool = False

    @property
    def text(self) -> str:
        """`internet to shop/db[StatefulSet] on TCP 5432`; of what is narrowed the ports that stay open."""
        if self.left_open:
            return f"{self.src} {self.dst}"
        ends = f"{self.src} to {self.dst}" if self.src and self.dst else self.src or self.dst
        shown = self.kept if self.kind == "narrowed" else self.ports
        return f"{ends} on {ports.text(shown)}" if shown else ends

    @property
    def named(self) -> str:
        """What `Impact` calls it: the workload, or both ends of a scrape and of an own way."""
        if self.kind in ("scrape", "ownPath"):
            return f"{self.src} to {self.dst}"
        return self.src if self.kind == "dns" else self.dst


def items(
    changes: Sequence[Change], effect: Impact, rules: RiskRules, left_open: Sequence[LeftOpen] = ()
) -> list[Item]:
    """All of it, the highest level first."""
    rows = gathered(changes)
    exposed = frozenset(effect.exposed)
    found = [item for row in rows for item in of_row(row, exposed, rules)]
    found += [
        Item("opened", rules.of("opened"), bare(one.policy), one.place, because=(one.text,), left_open=True)
        for one in left_open
    ]
    found += [Item("isolated", rules.isolated, "", name) for name in effect.isolated]
    found += [Item("dns", rules.dns, name, "") for name in effect.without_dns]
    pairs: tuple[tuple[RiskKind, Level, tuple[str, ...]], ...] = (
        ("scrape", rules.scrape, effect.scrapes),
        ("ownPath", rules.own_path, effect.own),
    )
    reasons = {(r.src, r.dst): r for r in rows}
    for kind, level, names in pairs:
        for src, _, dst in (name.partition(" to ") for name in names):
            row = reasons.get((src, dst))
            found.append(Item(kind, level, src, dst, row.lost if row else 0, row.because if row else ()))
    return sorted(found, key=lambda i: (-LEVELS.index(i.level), KINDS.index(i.kind)))


def of_row(row: Row, exposed: Container[str], rules: RiskRules) -> Iterator[Item]:
    """What becomes of one connection; `exposed` are the workloads that the internet reaches newly."""
    if row.enters and row.gained and row.dst in exposed:
        yield Item("internet", rules.internet, row.src, row.dst, row.gained, row.because)
    if row.note:
        yield Item("workloads", rules.workloads, row.src, row.dst, row.after ^ row.before, (row.note,))
        return
    for word in row.words:
        moved = row.gained if word in ("opened", "widened") else row.lost
        kept = row.before & row.after
        yield Item(word, rules.of(word), row.src, row.dst, moved, row.because, kept=kept)


def _number(kind: RiskKind, items: Sequence[Item]) -> int:
    """What is counted of a kind: workloads where it is of workloads, however often each of them is listed."""
    if kind == "internet":
        return len({i.dst for i in items})
    return workloads_of(i.dst for i in items) if kind == "isolated" else len(items)


def weighed(found: Sequence[Item], rules: RiskRules) -> Risk:
    """The highest level of what is not accepted, the reasons of the highest first."""
    left = [i for i in found if not i.accepted]
    reasons: list[tuple[RiskKind, Level, str]] = []
    for kind in KINDS:
        mine = [i for i in left if i.kind == kind and not i.left_open]
        number = _number(kind, mine)
        if mine:
            reasons.append((kind, mine[0].level, reason(kind, number)))
    if unknown := [i for i in left if i.left_open]:
        reasons.append(("opened", unknown[0].level, may_open(len(unknown))))
    if sum(i.kind in ("opened", "widened", "cut") and not i.left_open for i in left) > rules.many:
        reasons.append(("many", "high", f"more than {rules.many} connections opened, widened or cut"))
    reasons.sort(key=lambda r: -LEVELS.index(r[1]))
    texts = [text for _, _, text in reasons]
    level: Level = max((level for _, level, _ in reasons), key=LEVELS.index, default="none")
    if accepted := sum(bool(i.accepted) for i in found):
        texts.append(f"{accepted} accepted by name")
        level = max(level, "low", key=LEVELS.index)
    return Risk(
        level,
        tuple(texts) or ("no connection changes",),
        tuple(dict.fromkeys(kind for kind, _, _ in reasons)),
    )
