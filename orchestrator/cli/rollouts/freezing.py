"""Freezes declared and ended: who may open waves, and from when; rollbacks are never stopped."""

import uuid
from datetime import datetime

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.dry_run import rehearsed, remark
from orchestrator.cli.rollouts import sources
from orchestrator.cli.times import length, moment
from orchestrator.context import FREEZE, Context, freezes
from orchestrator.errors import BadInput, Conflict, NotFound, Refused
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new
from orchestrator.sources.known_names import meant

STOP = "stop"  # the freeze of everything without an end


def freeze(
    target: Target, source: str, why: str, begin: str, until: str, span: str, dry_run: str = ""
) -> int:
    """One source's waves, or all where `source` is empty. Raises BadInput where the times make no span."""
    ctx = rehearsed(wiring.connected(target), dry_run)
    if source:
        source = sources.find(ctx, source).name
    since = moment(begin, "--from").replace(microsecond=0) if begin else None
    now = ctx.clock.now().replace(microsecond=0)
    end = _end(since or now, until, span)
    if end is not None and end <= max(since or now, now):
        raise BadInput(f"{end:%Y-%m-%d %H:%M %Z} is over before it begins", "--until")
    name = f"{source[:200] or 'all'}-{uuid.uuid4().hex[:6]}"
    return _declare(ctx, name, [source] if source else [], why, since, end)


def stop(target: Target, why: str, dry_run: str = "") -> int:
    """Everything, without an end."""
    return _declare(rehearsed(wiring.connected(target), dry_run), STOP, [], why, None, None)


def unfreeze(target: Target, name: str = STOP, dry_run: str = "") -> int:
    """End a freeze, or what `stop` began. Raises Refused or BadInput where it is not there."""
    ctx = rehearsed(wiring.connected(target), dry_run)
    try:
        meta = ctx.cluster.get(FREEZE, name, ctx.namespace)["metadata"]
        ctx.cluster.delete(
            FREEZE, name, ctx.namespace, uid=meta["uid"], resource_version=meta["resourceVersion"]
        )
    except NotFound:
        if name == STOP:
            raise Refused(
                "nothing is stopped; `netpol-canary get freezes` lists what else is frozen"
            ) from None
        raise BadInput(
            f"there is no RolloutFreeze {name}",
            hint=meant(ctx, name, "`netpol-canary get freezes` lists them", FREEZE),
        ) from None
    left = ", ".join(f.name for f in freezes(ctx) if f.name != name)
    print(f"{name}: ended" + (f"; there is still {left}" if left else "") + remark(ctx))
    return 0


def _end(since: datetime, until: str, span: str) -> datetime | None:
    if until and span:
        raise BadInput("--until and --for both say when it ends", hint="give one of them")
    if until:
        return moment(until, "--until").replace(microsecond=0)
    if not span:
        return None
    lasts = length(span)
    if lasts is None:
        raise BadInput(f"{span!r} is no length of time", "--for", "write it as 30m, 2h, 1d12h or 2w")
    try:
        return since + lasts
    except OverflowError:
        raise BadInput(f"{span!r} is too long", "--for", "leave it out: `unfreeze` ends it") from None


def _declare(
    ctx: Context, name: str, only: list[str], why: str, begin: datetime | None, until: datetime | None
) -> int:
    if not why.strip():
        raise BadInput("a freeze needs a reason", "-m", "say why: whoever waits will read it")
    user, _ = ctx.cluster.user()
    spec = m.RolloutFreezeSpec(sources=only, begin=begin, until=until, reason=why[:1024], user=user[:253])
    try:
        ctx.cluster.create(new("RolloutFreeze", name, ctx.namespace, spec))
    except Conflict:
        raise Refused(
            f"the RolloutFreeze {name} stands already; `netpol-canary get freezes` shows it"
        ) from None
    who = ", ".join(only) or "every source"
    when = f" from {begin:%Y-%m-%d %H:%M %Z}" if begin else ""
    undo = "start" if name == STOP else f"unfreeze {name}"
    ends = f"until {until:%Y-%m-%d %H:%M %Z}" if until else f"until `netpol-canary {undo}`"
    print(f"{who}: no wave opens{when} {ends}; what runs finishes its wave, and rollbacks go on{remark(ctx)}")
    if name != STOP:
        print(f"RolloutFreeze {name}")
    return 0
