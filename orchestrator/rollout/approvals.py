"""Whether a gate is open: approvals bind to rollout, wave and plan; they expire; authors do not count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.rollout.resource import Approval, Rollout

_MAIL = re.compile(r"<([^<>]+)>\s*$")


@dataclass(frozen=True)
class Gateway:
    """The state of a gate; `rejected_by` is a user, or empty."""

    open: bool
    message: str
    rejected_by: str = ""


def _created(approval: Approval) -> datetime | None:
    text = approval.manifest["metadata"].get("creationTimestamp")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None


def authors(rollout: Rollout) -> tuple[frozenset[str], int]:
    """Cluster users who wrote the change, and how many of its people map to no user."""
    users, unmapped = set(), 0
    for person in rollout.spec.people:
        if person.startswith("user:"):
            users.add(person[5:])
        elif _MAIL.search(person) or person:
            unmapped += 1
    return frozenset(users), unmapped


def people(mails: Sequence[str], identities: Sequence[tuple[str, str]]) -> list[str]:
    """`user:NAME` for a person that the source maps to a cluster user, `Name <mail>` for the others."""
    users = {mail.lower(): user for mail, user in identities}
    found = []
    for person in mails:
        match = _MAIL.search(person)
        mail = match.group(1).lower() if match else person.lower()
        found.append(f"user:{users[mail]}" if mail in users else person)
    return sorted(set(found))


def gateway(rollout: Rollout, wave: int, approvals: Sequence[Approval], now: datetime) -> Gateway:
    """Quorum counts distinct people; an unmapped author raises it by one."""
    gate = next((g for g in rollout.spec.strategy.gates if g.wave == wave), None)
    if gate is None:
        return Gateway(True, "no gate")
    wrote, unmapped = authors(rollout)
    needed = gate.approvals + (1 if unmapped else 0)
    yes: set[str] = set()
    for approval in approvals:
        spec = approval.spec
        if (spec.rollout, spec.wave, spec.plan_digest) != (rollout.name, wave, rollout.spec.plan_digest):
            continue
        if spec.decision == "reject":
            return Gateway(False, f"wave {wave} rejected by {spec.user}: {spec.comment}", spec.user)
        created = _created(approval)
        expired = created is None or now - created > timedelta(seconds=gate.expires_after_seconds)
        if expired or spec.user in wrote or (gate.groups and not set(gate.groups) & set(spec.groups)):
            continue
        yes.add(spec.user)
    who = f" ({', '.join(sorted(yes))})" if yes else ""
    return Gateway(len(yes) >= needed, f"wave {wave} has {len(yes)} of {needed} approvals{who}")
