"""Rules that count one after the other, as rules of which any denial counts first: where that is the same."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.translate.statements import Refuse, Said, Span, Statement, may_overlap


class _Placed(NamedTuple):
    """A rule at its place among all those of a direction; `owner` is the number of its statement."""

    owner: int
    rule: Said


def unordered(statements: Sequence[Statement], refuse: Sequence[Refuse]) -> list[Statement]:
    """The statements of Calico's default tier, and NetworkPolicies that it asks among them, without an order.

    A denial stays where it comes before all that it may meet, and goes where nothing after it allows: what no rule allows is
    denied anyway. `refuse` is that of each statement, for the other denials.
    """
    found = list(statements)
    for side in Direction:
        placed = _placed(statements, side)
        for at, (owner, rule) in enumerate(placed):
            if rule.action != "Deny":
                continue
            met = [
                (n, other)
                for n, (number, other) in enumerate(placed)
                if other.action == "Allow"
                and _together(statements[owner], statements[number])
                and _share_ports(rule, other)
            ]
            if all(n < at for n, _ in met):
                kept = tuple(r for r in found[owner].rules[side] if r is not rule)
                found[owner] = replace(found[owner], rules={**found[owner].rules, side: kept})
            elif earlier := next((other for n, other in met if n < at), None):
                refuse[owner](
                    rule.field,
                    f"it counts after {earlier.field}, which allows first, and before others that allow: only Calico has such an order",
                )
    return found


def _placed(statements: Sequence[Statement], side: Direction) -> list[_Placed]:
    """By order, then by name; the rules of one policy in theirs."""
    ordered = sorted(range(len(statements)), key=lambda n: (statements[n].order, statements[n].name))
    return [_Placed(n, rule) for n in ordered for rule in statements[n].rules.get(side, ())]


def _together(one: Statement, other: Statement) -> bool:
    return may_overlap(one.subject, other.subject, (one.space, other.space))


def _share_ports(one: Said, other: Said) -> bool:
    if one.ports is None or other.ports is None:
        return True
    return any(_shared(a, b) for _, a in one.ports for _, b in other.ports)


def _shared(one: Span, other: Span) -> bool:
    if one.protocol != other.protocol:
        return False
    return bool(one.name or other.name) or (one.first <= other.last and other.first <= one.last)
