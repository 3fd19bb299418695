"""Which step carries out which action."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.rollout.next import Action, State
from orchestrator.steps import (
    analyze,
    apply,
    baseline,
    finish,
    gate,
    promote,
    restore,
    snapshot,
    verify,
    vouch,
    watch,
)
from orchestrator.steps.context import Context

Step = Callable[[Context, State, Action], None]

STEPS: dict[str, Step] = {
    "snapshot": snapshot.run,
    "open": gate.open_wave,
    "pause": gate.pause,
    "vouch": vouch.run,
    "continue": gate.go_on,
    "handle": gate.handle,
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
