"""`freeze`, `unfreeze`, `stop` and `start`: who may open waves, and from when; rollbacks are never stopped."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, app
from orchestrator.cli.durations import length
from orchestrator.errors import BadInput, Conflict, NotFound, Refused

if TYPE_CHECKING:
    from orchestrator.context import Context

STOP = "stop"  # the freeze of everything without an end
Why = Annotated[str, typer.Option("-m", "--message", help="why, for everybody who waits")]


@app.command(epilog="Example: netpol-canary freeze payments -m 'end of the quarter' --for 2d")
def freeze(
    source: Annotated[str, typer.Argument(help="a source; all of them without one", metavar="[SOURCE]")] = "",
    message: Why = "",
    begin: Annotated[
        str,
        typer.Option(
            "--from", help="a time such as 2026-12-23T18:00+01:00 (without a zone the machine's); else now"
        ),
    ] = "",
    until: Annotated[str, typer.Option(help="a time; else until `netpol-canary unfreeze`")] = "",
    span: Annotated[str, typer.Option("--for", help="30m, 2h, 1d12h, 2w, instead of --until")] = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Let no wave open, of one source or of any; what runs finishes its wave, and rollbacks go on."""
    ctx = _connected(namespace, context, kubeconfig)
    if source:
        from orchestrator.cli.rollouts import sources

        source = sources.find(ctx, source).name
    since = moment(begin, "--from") if begin else None
    end = _end(since or ctx.clock.now(), until, span)
    if end is not None and end <= max(since or ctx.clock.now(), ctx.clock.now()):
        raise BadInput(f"{end:%Y-%m-%d %H:%M %Z} is over before it begins", "--until")
    name = f"{source[:200] or 'all'}-{uuid.uuid4().hex[:6]}"
    _declare(ctx, name, [source] if source else [], message, since, end)
    return 0


@app.command(epilog="Example: netpol-canary unfreeze payments-3f2a91")
def unfreeze(
    name: Annotated[str, typer.Argument(help="a freeze; `netpol-canary get freezes` lists them")],
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """End a freeze: what waits for it goes on."""
    return _end_freeze(_connected(namespace, context, kubeconfig), name)


@app.command(epilog="Example: netpol-canary stop -m 'INC-42: nobody promotes until we know more'")
def stop(
    message: Why = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Stop all promotions, of every source, until `start`; rollbacks go on."""
    _declare(_connected(namespace, context, kubeconfig), STOP, [], message, None, None)
    return 0


@app.command(epilog="Example: netpol-canary start")
def start(namespace: Namespace = OWN, context: ContextName = "", kubeconfig: Kubeconfig = "") -> int:
    """End what `stop` began."""
    return _end_freeze(_connected(namespace, context, kubeconfig), STOP)


def _connected(namespace: str, context: str, kubeconfig: str) -> Context:
    from orchestrator.cli import wiring

    return wiring.connected(wiring.Target(namespace, context, kubeconfig))


def moment(text: str, where: str) -> datetime:
    """An ISO 8601 time; the machine's time zone where it names none. Raises BadInput."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise BadInput(f"{text!r} is no time", where, "write it as 2026-12-27T09:00+01:00") from None


def _end(since: datetime, until: str, span: str) -> datetime | None:
    if until and span:
        raise BadInput("--until and --for both say when it ends", hint="give one of them")
    if until:
        return moment(until, "--until")
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
    ctx: Context, name: str, sources: list[str], why: str, begin: datetime | None, until: datetime | None
) -> None:
    from orchestrator.rollout.resources import model as m
    from orchestrator.rollout.resources.resource import new

    if not why.strip():
        raise BadInput("a freeze needs a reason", "-m", "say why: whoever waits will read it")
    user, _ = ctx.cluster.user()
    spec = m.RolloutFreezeSpec(sources=sources, begin=begin, until=until, reason=why[:1024], user=user[:253])
    try:
        ctx.cluster.create(new("RolloutFreeze", name, ctx.namespace, spec))
    except Conflict:
        raise Refused(
            f"the RolloutFreeze {name} stands already; `netpol-canary get freezes` shows it"
        ) from None
    who = ", ".join(sources) or "every source"
    when = f" from {begin:%Y-%m-%d %H:%M %Z}" if begin else ""
    undo = "start" if name == STOP else f"unfreeze {name}"
    ends = f"until {until:%Y-%m-%d %H:%M %Z}" if until else f"until `netpol-canary {undo}`"
    print(f"{who}: no wave opens{when} {ends}; what runs finishes its wave, and rollbacks go on")
    if name != STOP:
        print(f"RolloutFreeze {name}")


def _end_freeze(ctx: Context, name: str) -> int:
    from orchestrator.context import FREEZE, freezes

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
            f"there is no RolloutFreeze {name}", hint="`netpol-canary get freezes` lists them"
        ) from None
    left = ", ".join(f.name for f in freezes(ctx))
    print(f"{name}: ended" + (f"; there is still {left}" if left else ""))
    return 0
