"""The emergency path: what a hotfix skips, because its source allows it and somebody asked for it in their own name.

Windows, freezes, waits and waves may be skipped. Gates, the analysis of each wave that opens, capacity, the guard and the way
back are never asked about here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from orchestrator.rollout.gates.approvals import Voice, created, unrelated
from orchestrator.rollout.resources.model import MOST_WAVE, Emergency, Skip, Strategy
from orchestrator.rollout.resources.resource import Approval, Rollout
from orchestrator.rollout.timing import needed
from orchestrator.wording import many

CONDITION = "EmergencyDeclared"


def skips(rollout: Rollout, what: Skip, now: datetime) -> bool:
    """Whether an emergency that was declared skips this now."""
    declared = rollout.status.emergency
    return declared is not None and what in declared.skips and now < declared.until


def standing(rollout: Rollout, now: datetime) -> bool:
    """Whether an emergency was declared and has not run out."""
    declared = rollout.status.emergency
    return declared is not None and now < declared.until


def voices(rollout: Rollout, approvals: Sequence[Approval], now: datetime) -> list[Voice]:
    """Who asked for an emergency of this rollout, the first first; `why` says why one does not count."""
    allowed = rollout.spec.strategy.emergency
    mine = [a for a in approvals if a.spec.decision == "emergency" and a.spec.rollout == rollout.name]
    ordered = sorted(mine, key=lambda a: (str(created(a.manifest)), a.name))
    return [_voice(rollout, allowed, a, now) for a in ordered]


def asked(rollout: Rollout, approvals: Sequence[Approval], now: datetime) -> Voice | None:
    """Who asked for one that is to be declared; None where nobody did, or one stands already."""
    if standing(rollout, now):
        return None
    return next((v for v in voices(rollout, approvals, now) if not v.why), None)


def _voice(rollout: Rollout, allowed: Emergency, approval: Approval, now: datetime) -> Voice:
    spec, at = approval.spec, created(approval.manifest)
    expires = at + timedelta(seconds=allowed.expires_after_seconds) if at else None
    groups = tuple(g for g in spec.groups if g in allowed.groups) if allowed.groups else tuple(spec.groups)
    why = unrelated(rollout, approval, at)
    if not why and not allowed.skip:
        why = "may skip nothing: the source's strategy allows nothing"
    elif not why and (expires is None or now >= expires):
        why = "asked too long ago"
    elif not why and spec.wave > rollout.status.wave:
        why = f"asked for wave {spec.wave} and later"
    elif not why and allowed.groups and not groups:
        why = f"is not in {' or '.join(allowed.groups)}"
    elif not why and not spec.comment.strip():
        why = "gave no reason"
    return Voice(spec.user, at, expires, groups, spec.comment, why=why)


def joining(rollout: Rollout, now: datetime) -> list[int]:
    """The waves that open together with the one that comes next, none without an emergency that skips waves.

    Never with the canary, never over a gate, and never more namespaces than a wave may have.
    """
    if not skips(rollout, "waves", now):
        return []
    return following(rollout.spec.strategy, sizes(rollout), rollout.status.wave)


def following(strategy: Strategy, names: Sequence[int], wave: int) -> list[int]:
    """The waves that an emergency would have open with a wave; `names` is how many namespaces each wave has."""
    if wave == 0:
        return []
    gated, total, found = {gate.wave for gate in strategy.gates}, names[wave], []
    for number in range(wave + 1, len(names)):
        total += names[number]
        if number in gated or total > MOST_WAVE:
            break
        found.append(number)
    return found


def sizes(rollout: Rollout) -> list[int]:
    """How many namespaces each wave has."""
    return [len(wave.namespaces) for wave in rollout.spec.waves]


def offered(strategy: Strategy, names: Sequence[int], first: int, closed: str = "") -> Iterator[str]:
    """What an emergency would skip from a wave on, in words; `closed` is what of it keeps that wave from opening now."""
    allowed = strategy.emergency.skip
    now = f", now: {closed}" if closed else ""
    kinds = [what for what in ("windows", "freezes") if what in allowed]
    if "freezes" in kinds or (kinds and strategy.windows):
        yield f"{' and '.join(kinds)} of this source{now}"
    spare = strategy.settle_seconds - int(needed(strategy).total_seconds())
    if "waits" in allowed and spare:
        yield f"{spare} s of settling in each wave"
    if "waves" in allowed:
        yield from _merged(strategy, names, first)


def _merged(strategy: Strategy, names: Sequence[int], first: int) -> Iterator[str]:
    wave = max(first, 1)
    while wave < len(names):
        more = following(strategy, names, wave)
        if more:
            total = many(sum(names[wave : more[-1] + 1]), "namespace")
            yield f"the steps between waves {wave} and {more[-1]}, which open at once ({total})"
        wave += len(more) + 1


def declared_text(rollout: Rollout) -> str:
    """The emergency of a rollout in one line: who, since when and until when, what is skipped, why; empty without one."""
    found = rollout.status.emergency
    if found is None:
        return ""
    times = f"{found.at:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC"
    return f"declared by {found.user}, skips {', '.join(found.skips)}, {times}: {found.reason}"
