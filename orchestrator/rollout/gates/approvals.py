"""Whether the gates of a wave are open: approvals bind to rollout, wave and plan; they expire; authors do not count."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.rollout.resources.model import Gate
from orchestrator.rollout.resources.resource import Approval, Rollout
from orchestrator.rollout.resources.timestamps import stamp
from orchestrator.wording import many

MAPPED = "user:"  # before a user of the cluster among the people of a change
MOST_PEOPLE = 200
MOST_PERSON = 1024  # characters
_MAIL = re.compile(r"<([^<>]+)>\s*$")


@dataclass(frozen=True)
class Voice:
    """One person's approval as a gate sees it. `why` says why it does not count, and is empty where it does.

    `groups` are those by which the person may open the gate, or all that were given where the gate names none.
    """

    user: str
    at: datetime | None
    expires: datetime | None
    groups: tuple[str, ...]
    comment: str = ""
    break_glass: bool = False
    why: str = ""


@dataclass(frozen=True)
class GateState:
    """One gate of a wave as it stands now.

    `needed` counts distinct people out of `groups` (anyone who may create approvals where it is empty), one more
    where somebody among the authors maps to no cluster user; `barred` are the authors who do. `expires` is when the
    gate closes again, or where it is closed, when the first approval is lost. `broken` is the approval that stands
    for the whole quorum, `rejection` the one that ends the rollout.
    """

    wave: int
    name: str
    needed: int
    groups: tuple[str, ...]
    expires_after_seconds: int
    given: tuple[Voice, ...] = ()
    ignored: tuple[Voice, ...] = ()
    barred: tuple[str, ...] = ()
    unmapped: int = 0
    expires: datetime | None = None
    broken: Voice | None = None
    rejection: Voice | None = None

    @property
    def missing(self) -> int:
        """How many more people have to approve."""
        return max(0, self.needed - len(self.given))

    @property
    def open(self) -> bool:
        return self.rejection is None and (self.missing == 0 or self.broken is not None)

    @property
    def text(self) -> str:
        """`2 of 3 approvals from security (ann, eve)`, for one line."""
        place = f" from {' or '.join(self.groups)}" if self.groups else ""
        who = f" ({', '.join(v.user for v in self.given)})" if self.given else ""
        return f"{len(self.given)} of {many(self.needed, 'approval')}{place}{who}"


@dataclass(frozen=True)
class Gateway:
    """All gates of a wave together; `rejected_by` and `broken_by` are users, or empty.

    `relies` says that it is as it is because of what people said: then it has to be proven that they said it.
    """

    open: bool
    message: str
    rejected_by: str = ""
    broken_by: str = ""
    relies: bool = False


def created(manifest: dict[str, object]) -> datetime | None:
    """When the API server stored an object."""
    metadata = manifest["metadata"]
    return stamp(metadata.get("creationTimestamp")) if isinstance(metadata, dict) else None


def authors(rollout: Rollout) -> tuple[frozenset[str], int]:
    """Cluster users who wrote the change, and how many of its people map to no user."""
    users, unmapped = set(), 0
    for person in rollout.spec.authors:
        if person.startswith(MAPPED):
            users.add(person.removeprefix(MAPPED))
        elif person:
            unmapped += 1
    return frozenset(users), unmapped


def people(mails: Sequence[str], identities: Sequence[tuple[str, str]]) -> list[str]:
    """`user:NAME` for a person that the source maps to cluster users, each of them, `Name <mail>` for the others.

    Of more than MOST_PEOPLE the users come first, and what is left out counts as somebody unknown.
    """
    users: dict[str, list[str]] = {}
    for mail, user in identities:
        users.setdefault(mail.lower(), []).append(f"{MAPPED}{user}")
    found: list[str] = []
    for person in mails:
        match = _MAIL.search(person)
        found += users.get(match.group(1).lower() if match else person.lower(), [_unmapped(person)])
    every = sorted(set(found))
    if len(every) > MOST_PEOPLE:
        every.sort(key=lambda person: not person.startswith(MAPPED))
        every[MOST_PEOPLE - 1 :] = [f"{len(every) - MOST_PEOPLE + 1} more"]
    return every


def _unmapped(person: str) -> str:
    """As Git has it; who is called as if mapped stands in quotes, or would lower the number of approvals."""
    return _short(f"'{person}'" if person.startswith(MAPPED) else person)


def _short(person: str) -> str:
    """Cut, and still somebody else than everybody else who begins alike."""
    if len(person) <= MOST_PERSON:
        return person
    mark = hashlib.sha256(person.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{person[: MOST_PERSON - 16]}… ({mark})"


def gates(rollout: Rollout, wave: int, approvals: Sequence[Approval], now: datetime) -> tuple[GateState, ...]:
    """The gates before a wave, in the strategy's order; empty where it has none.

    `approvals` may hold those of other rollouts and waves.
    """
    mine = [
        a
        for a in approvals
        if (a.spec.rollout, a.spec.wave) == (rollout.name, wave) and a.spec.decision != "emergency"
    ]
    return tuple(_state(rollout, g, mine, now) for g in rollout.spec.strategy.gates if g.wave == wave)


def _state(rollout: Rollout, gate: Gate, approvals: Sequence[Approval], now: datetime) -> GateState:
    wrote, unmapped = authors(rollout)
    given: dict[str, Voice] = {}
    ignored: list[Voice] = []
    broken = rejection = None
    for approval in sorted(approvals, key=lambda a: (str(created(a.manifest)), a.name)):
        voice = _voice(rollout, gate, approval, now)
        if voice.why:
            ignored.append(voice)
        elif approval.spec.decision == "reject":
            rejection = rejection or voice
        elif voice.break_glass:
            broken = voice
        else:
            given[voice.user] = voice
    needed = gate.approvals + (1 if unmapped else 0)
    ends = sorted(v.expires for v in given.values() if v.expires is not None)
    lost = len(ends) - needed if len(ends) >= needed else 0
    return GateState(
        gate.wave,
        gate.name,
        needed,
        tuple(gate.groups),
        gate.expires_after_seconds,
        given=tuple(given.values()),
        ignored=tuple(ignored),
        barred=tuple(sorted(wrote)),
        unmapped=unmapped,
        expires=ends[lost] if ends else None,
        broken=broken,
        rejection=rejection,
    )


def _voice(rollout: Rollout, gate: Gate, approval: Approval, now: datetime) -> Voice:
    spec, at = approval.spec, created(approval.manifest)
    expires = at + timedelta(seconds=gate.expires_after_seconds) if at else None
    groups = tuple(g for g in spec.groups if g in gate.groups) if gate.groups else tuple(spec.groups)
    why = unrelated(rollout, approval, at)
    if not why and spec.decision == "approve":
        why = _worthless(rollout, gate, approval, expires, now)
    return Voice(spec.user, at, expires, groups, spec.comment, spec.break_glass, why)


def unrelated(rollout: Rollout, approval: Approval, at: datetime | None) -> str:
    """Why it speaks of something else than what is about to happen."""
    began = created(rollout.manifest)
    if approval.spec.plan_digest != rollout.spec.plan_digest:
        return "is for another plan"
    if at is not None and began is not None and at < began:
        return "spoke before this rollout began"
    doubted = rollout.status.approvals_unproven_at
    if at is not None and doubted is not None and at <= doubted:
        return "was given while approvals were unproven"
    return ""


def _worthless(
    rollout: Rollout, gate: Gate, approval: Approval, expires: datetime | None, now: datetime
) -> str:
    """Why an approval of this plan does not count. Breaking the glass is for authors, too, and for every group."""
    spec = approval.spec
    if expires is None or now > expires:
        return "has expired"
    if spec.break_glass:
        return ""
    if spec.user in authors(rollout)[0]:
        return "wrote the change"
    if gate.groups and not set(gate.groups) & set(spec.groups):
        return f"is not in {' or '.join(gate.groups)}"
    return ""


def gateway(rollout: Rollout, wave: int, approvals: Sequence[Approval], now: datetime) -> Gateway:
    """Open where every gate is; one rejection closes all."""
    found = gates(rollout, wave, approvals, now)
    if not found:
        return Gateway(True, "no gate")
    said = "; ".join(f"{g.name}: {g.text}" if g.name else g.text for g in found)
    no = next((g.rejection for g in found if g.rejection is not None), None)
    if no is not None:
        return Gateway(False, f"wave {wave} rejected by {no.user}: {no.comment}", no.user, relies=True)
    if not all(g.open for g in found):
        return Gateway(False, f"wave {wave}: {said}")
    glass = next((g.broken for g in found if g.missing and g.broken is not None), None)
    if glass is not None:
        text = f"wave {wave}: {glass.user} broke the glass: {glass.comment}; {said}"
        return Gateway(True, text, broken_by=glass.user, relies=True)
    return Gateway(True, f"wave {wave}: {said}", relies=True)
