"""`workflows render` and `workflows watch`: a wave's Workflow as YAML, and where it is."""

from collections.abc import Mapping
from typing import Any

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.process import interruptible, not_waited_for, ticks
from orchestrator.context import Context
from orchestrator.errors import BadInput, NotFound
from orchestrator.operations.requests import find_rollout
from orchestrator.rollout.handoff import ENDED, known
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Rollout
from workflows.submission import WORKFLOW, workflow
from workflows.templates import templates
from workflows.workflow_progress import stages


def render(target: Target, image: str, name: str, wave: int | None) -> int:
    """Multi-document YAML on standard output."""
    import yaml

    if not name and wave is not None:
        raise BadInput("a wave is a rollout's", "--wave", "give --rollout NAME, too")
    documents = [_of_wave(target, name, wave)] if name else templates(image, target.namespace)
    print(yaml.safe_dump_all(documents, sort_keys=False), end="")
    return 0


def _of_wave(target: Target, name: str, wave: int | None) -> Mapping[str, Any]:
    rollout = find_rollout(wiring.connected(target), name)
    number = rollout.status.wave if wave is None else wave
    if number >= len(rollout.spec.waves):
        raise BadInput(f"{rollout.name} has the waves 0 to {len(rollout.spec.waves) - 1}", "--wave")
    return workflow(rollout, number, known(rollout, number).name)


def watch(target: Target, name: str, timeout: float) -> int:
    """0 once it succeeded, 1 where it failed, 3 where there is none or the time is over."""
    with interruptible() as stop:
        ctx = wiring.connected(target, stop)
        asked = find_rollout(ctx, name)
        said: list[str] = []
        for _ in ticks(ctx.clock, timeout, stop):
            rollout = find_rollout(ctx, asked.name)
            found = _found(ctx, rollout)
            if found is None and (rollout.status.phase in TERMINAL or not _handed_out(rollout)):
                print(f"{rollout.name} is {rollout.status.phase}: {_none(rollout)}")
                return 3
            lines = _lines(found, rollout)
            for line in lines:
                if line not in said:
                    print(line, flush=True)
            said = lines
            phase = (found or {}).get("status", {}).get("phase", "")
            if phase in ENDED:
                return 0 if phase == "Succeeded" else 1
        return not_waited_for(asked.name, timeout, stop)


def _found(ctx: Context, rollout: Rollout) -> Mapping[str, Any] | None:
    status = rollout.status
    name = known(rollout, min(status.wave, len(rollout.spec.waves) - 1)).name
    try:
        return ctx.cluster.get(WORKFLOW, name, ctx.namespace)
    except NotFound:
        return None


def _handed_out(rollout: Rollout) -> bool:
    return rollout.spec.strategy.engine == "argo"


def _none(rollout: Rollout) -> str:
    if not _handed_out(rollout):
        return "its waves are worked on in the controller itself (engine: embedded)"
    return "its last wave has no workflow any more"


def _lines(found: Mapping[str, Any] | None, rollout: Rollout) -> list[str]:
    status = rollout.status
    if found is None:
        paused = f" ({status.paused_for})" if status.paused_for else ""
        return [f"{rollout.name}: wave {status.wave} has no workflow yet; it is {status.phase}{paused}"]
    name = found["metadata"]["name"]
    state = found.get("status") or {}
    message = f": {state['message']}" if state.get("message") else ""
    lines = [f"{name}: {state.get('phase') or 'not seen by Argo yet'}{message}"]
    for stage in stages(found):
        more = f"; {stage.message}" if stage.message else ""
        lines.append(f"  {stage.step:<10}{stage.text}{more}")
    return lines
