"""Which step carries out which action."""

from collections.abc import Callable

from orchestrator.context import Context
from orchestrator.rollout.next import Action, State
from orchestrator.steps import (
    analyze,
    apply,
    baseline,
    finish,
    promote,
    prove_approvals,
    restore,
    snapshot,
    transitions,
    verify,
    watch,
)

Step = Callable[[Context, State, Action], None]

STEPS: dict[str, Step] = {
    "snapshot": snapshot.run,
    "open": transitions.open_wave,
    "pause": transitions.pause,
    "vouch": prove_approvals.run,
    "declare": transitions.declare,
    "continue": transitions.go_on,
    "handle": transitions.handle,
    "baseline": baseline.run,
    "apply": apply.run,
    "analyze": analyze.run,
    "watch": watch.run,
    "promote": promote.run,
    "succeed": promote.succeed,
    "rollback": restore.begin,
    "restore": restore.run,
    "confirm": restore.confirm,
    "verify": verify.run,
    "finish": finish.run,
    "release": finish.release,
}
