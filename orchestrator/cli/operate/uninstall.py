"""`uninstall`: roll back or refuse while anything is unrestored, then take away everything but the promoted policies.

It may be stopped anywhere and run again. What it removes it names first.
"""

import sys
import threading
from collections.abc import Collection, Iterable, Sequence

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.operate.removal import Removal
from orchestrator.cli.process import holder, interruptible, worked_on
from orchestrator.context import POLICY, ROLLOUT, SOURCE, Context
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, NotFound, Refused
from orchestrator.operations import requests
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Rollout, load
from orchestrator.wording import agreeing, few, many

MOST_NAMED = 5
ONWARD = (
    "--restore rolls back what is under way",
    "`netpol-canary rollback NAME` tries a Failed one again, --lose NAME gives up what it keeps",
)
# Where nothing else is asked of this program, as by Helm.
ALONE = (
    "`netpol-canary abort NAME` rolls back what is under way",
    "`netpol-canary rollback NAME` tries a Failed one again",
)


def check(target: Target) -> int:
    """0 where everything is restored, else Refused. It lists PolicyRollouts of every namespace and does nothing else."""
    ctx = wiring.connected(target)
    if left := _unrestored(ctx, ()):
        raise Refused(_refusal(ctx, left, ALONE))
    print("everything is restored")
    return 0


def uninstall(target: Target, restore: bool, yes: bool, timeout: float, lose: Sequence[str] = ()) -> int:
    """0 once nothing is left; Refused, with nothing removed, while something stands unrestored or nobody says yes.

    `lose` names Failed rollouts whose `before` is given up. What begins between the first look and the end of the
    engines is not lost: it is looked for again before anything that holds it goes.
    """
    with interruptible() as stop:
        ctx = wiring.connected(target, stop)
        _given_up(ctx, lose)
        left = _unrestored(ctx, lose)
        if left and not (restore and any(_can_go_back(ctx, r) for r in left)):
            raise Refused(_refusal(ctx, left))
        if not _agreed(ctx, yes, lose, left):
            raise Refused("nothing was removed; say yes, or give --yes")
        if left:
            _restored(ctx, left, timeout, stop)
            if left := _unrestored(ctx, lose):
                raise Refused(_refusal(ctx, left))
        removal = Removal(ctx, lose)
        _said(removal.engines())
        if left := _unrestored(ctx, lose):
            again = "they began meanwhile, and the engines are stopped: run this again with --restore"
            raise Refused(f"not everything is restored: {_named(ctx, left)}; {again}")
        _said(removal.everything())
    return 0


def _said(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _rollouts(ctx: Context) -> list[Rollout]:
    """Of every namespace: the CRDs go, and with them what stands elsewhere."""
    try:
        return [load(o) for o in ctx.cluster.list(ROLLOUT)]
    except NotFound:  # the CRDs are gone already
        return []


def _unrestored(ctx: Context, lose: Collection[str]) -> list[Rollout]:
    def stands(rollout: Rollout) -> bool:
        phase = rollout.status.phase
        return phase not in TERMINAL or (phase == "Failed" and rollout.name not in lose)

    return [r for r in _rollouts(ctx) if stands(r)]


def _given_up(ctx: Context, lose: Sequence[str]) -> None:
    """Only what has Failed can be given up: anything else can be rolled back. One that is gone was given up before."""
    for rollout in _rollouts(ctx):
        if rollout.name in lose and rollout.status.phase != "Failed":
            what = f"it is {rollout.status.phase}, not Failed"
            raise BadInput(what, f"--lose {rollout.name}", "--restore rolls back what is under way")


def _can_go_back(ctx: Context, rollout: Rollout) -> bool:
    return rollout.status.phase != "Failed" and rollout.manifest["metadata"]["namespace"] == ctx.namespace


def _named(ctx: Context, left: Sequence[Rollout]) -> str:
    def one(rollout: Rollout) -> str:
        space = rollout.manifest["metadata"]["namespace"]
        return f"{'' if space == ctx.namespace else space + '/'}{rollout.name} ({rollout.status.phase})"

    return few([one(r) for r in left], MOST_NAMED)


def _refusal(ctx: Context, left: Sequence[Rollout], ways: tuple[str, str] = ONWARD) -> str:
    under_way, failed = ways
    hints = []
    if any(_can_go_back(ctx, r) for r in left):
        hints.append(under_way)
    if any(r.status.phase == "Failed" for r in left):
        hints.append(failed)
    if any(r.manifest["metadata"]["namespace"] != ctx.namespace for r in left):
        hints.append("`netpol-canary abort NAME -n NAMESPACE --here` rolls back one of another namespace")
    return f"not everything is restored: {_named(ctx, left)}; {'; '.join(hints)}"


def _restored(ctx: Context, left: Iterable[Rollout], timeout: float, stop: threading.Event) -> None:
    """Ask for the way back of all that runs, and wait for it; done here where no controller is at work."""
    mine = [r for r in left if _can_go_back(ctx, r)]
    for rollout in mine:
        if rollout.status.phase != "RollingBack":
            requests.ask(ctx, rollout, "abort")
            print(f"{rollout.name}: asked to roll everything back", flush=True)
    names = {r.name for r in mine}
    end = ctx.clock.now().timestamp() + timeout

    def over() -> bool:
        return stop.is_set() or ctx.clock.now().timestamp() > end

    if not worked_on(ctx, "controller"):
        for name in sorted(names):
            Embedded(ctx, holder(), stop=over).drive(name)
        return
    while not over() and names & {r.name for r in _unrestored(ctx, ())}:
        ctx.clock.sleep(1.0)


def _agreed(ctx: Context, yes: bool, lose: Sequence[str], left: Sequence[Rollout]) -> bool:
    """Asked before anything is touched, what --restore does included."""
    policies = ctx.cluster.list(POLICY, None, "netpol-canary.dev/source")
    try:
        sources = len(ctx.cluster.list(SOURCE))
    except NotFound:
        sources = 0
    if left:
        print(f"This rolls back {_named(ctx, left)} first.")
    if lose:
        print(f"What {', '.join(lose)} kept of the state before is given up: what stands there stays.")
    print(
        f"This removes the namespace {ctx.namespace} with all that is in it (Secrets, {many(sources, 'source')}, the record "
        f"of {many(len(_rollouts(ctx)), 'rollout')}), the CRDs, roles and admission policies of netpol-canary. "
        f"{many(len(policies), 'promoted policy')} {agreeing(len(policies), 'stays as it is', 'stay as they are')}, with all labels."
    )
    if yes:
        return True
    if not sys.stdin.isatty():
        return False
    return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
