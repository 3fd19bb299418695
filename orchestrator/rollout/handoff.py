"""What becomes of an open wave whose work was handed to an Argo Workflow: follow it, submit one, or roll all back.

Pure. The resources decide what a wave is worth; this is about who works on it. What people do to the workflow in Argo:

- stop, terminate: everything is rolled back, reason WorkflowStopped;
- delete: the wave is taken up again by the next workflow, MOST_FAILURES times, then rolled back, reason WorkflowLost;
- retry, resubmit: the pods ask the resources and repeat what is not done yet; what is over they leave alone;
- suspend: the wave gets nowhere, and its progress deadline rolls it back.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from orchestrator.rollout.resources.model import WaveWorkflow
from orchestrator.rollout.resources.objects import MOST_LABEL
from orchestrator.rollout.resources.resource import Rollout
from orchestrator.wording import many

MOST_FAILURES = 2  # that a wave is taken up again after
ENDED = frozenset({"Failed", "Error", "Succeeded"})


@dataclass(frozen=True)
class Seen:
    """A workflow as it was found: `shutdown` is Stop or Terminate where somebody asked for it."""

    uid: str
    phase: str = ""
    message: str = ""
    shutdown: str = ""


@dataclass(frozen=True)
class Handoff:
    """What is to be done about the Workflow of an open wave.

    `submit` one of the name in `workflow`, note that it is there (`adopt`), go on to the `next` one, `follow` it, or roll
    everything `back`.
    """

    verb: Literal["submit", "adopt", "next", "follow", "back"]
    workflow: WaveWorkflow
    reason: str = ""
    message: str = ""


def known(rollout: Rollout, wave: int) -> WaveWorkflow:
    """The workflow of a wave, or the first that is to be."""
    noted = rollout.status.workflow
    return noted if noted.name and noted.wave == wave else _at(rollout, wave, 0, 0)


def handed(rollout: Rollout, wave: int, seen: Seen | None) -> Handoff:
    """What to do now, where the wave is open and not decided; `seen` is the workflow of the name that `known` gives."""
    now = known(rollout, wave)
    if seen is None:
        if not now.uid:
            return Handoff("submit", now)
        return _again(rollout, now, "WorkflowLost", f"the workflow {now.name} is gone")
    if seen.shutdown:
        text = f"the workflow {now.name} of wave {wave} got the request to {seen.shutdown.lower()}"
        return Handoff("back", now, "WorkflowStopped", text)
    if now.uid != seen.uid:
        return Handoff("adopt", now.model_copy(update={"uid": seen.uid}), "WorkflowSubmitted", now.name)
    if seen.phase in ENDED:
        said = f": {seen.message}" if seen.message else ""
        text = f"the workflow {now.name} ended as {seen.phase} before wave {wave} was decided{said}"
        return _again(rollout, now, "WorkflowFailed", text[:2000])
    return Handoff("follow", now)


def _again(rollout: Rollout, now: WaveWorkflow, reason: str, message: str) -> Handoff:
    if now.failures >= MOST_FAILURES:
        times = f"; {many(now.failures + 1, 'workflow')} came to nothing"
        return Handoff("back", now, reason, message + times)
    after = _at(rollout, now.wave, now.attempt + 1, now.failures + 1)
    return Handoff("next", after, reason, f"{message}; {after.name} takes the wave up again")


def resumed(rollout: Rollout) -> WaveWorkflow:
    """What to note when a paused wave goes on: its workflow has ended meanwhile, which was no failure."""
    now = rollout.status.workflow
    if not now.uid or now.wave != rollout.status.wave:
        return now
    return _at(rollout, now.wave, now.attempt + 1, 0)


def _at(rollout: Rollout, wave: int, attempt: int, failures: int) -> WaveWorkflow:
    return WaveWorkflow(
        wave=wave, attempt=attempt, name=called(rollout.name, wave, attempt), failures=failures
    )


def called(rollout: str, wave: int, attempt: int) -> str:
    """`ROLLOUT-wN-A`, a name that fits a label; a long rollout's is cut and told apart by a digest."""
    end = f"-w{wave}-{attempt}"
    if len(rollout) + len(end) <= MOST_LABEL:
        return rollout + end
    digest = "-" + hashlib.sha256(rollout.encode()).hexdigest()[:10]
    return rollout[: MOST_LABEL - len(end) - len(digest)].rstrip("-.") + digest + end
