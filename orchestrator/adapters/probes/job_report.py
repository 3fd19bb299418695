"""What the pods of probe Jobs say: their summaries as results, and why one cannot start."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.ports import Probe, ProbeResult
from orchestrator.probe.agent import SILENCE, VERSION

CONTAINER = "probe"  # of a probe pod; what others there may be were put there by somebody else
CANNOT_START = "probe Jobs cannot start"
# A container that waits for one of these does not begin by itself; an image is tried once more before.
STUCK = (
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
_NO = {
    "refused": "refused",
    "timeout": "timed out",
    "reset": "reset",
    "closed": "closed by the other side",
    "unreachable": "no route to it",
    "unresolved": "its name does not resolve",
}


@dataclass(frozen=True)
class Progress:
    """How far a pod is: `started` once its container ran, `ended` once no more comes of it.

    `message` is its termination message, `trouble` what keeps it from starting or ended it early.
    """

    started: bool = False
    ended: bool = False
    message: str = ""
    trouble: str = ""


def progress(pod: Mapping[str, Any]) -> Progress:
    """Read a pod's status (Pod API, status.containerStatuses and status.conditions)."""
    status = pod.get("status") or {}
    containers = sorted(status.get("containerStatuses") or [], key=lambda c: c.get("name") != CONTAINER)
    container: Mapping[str, Any] = next(iter(containers), {})
    state = container.get("state") or {}
    if "terminated" in state:
        end = state["terminated"]
        text = str(end.get("message", ""))
        if end.get("exitCode") == 0:
            return Progress(True, True, text)
        return Progress(
            True, True, "", _told(str(end.get("reason", "")), text or f"exit code {end.get('exitCode')}")
        )
    if status.get("phase") in ("Failed", "Succeeded"):
        return Progress(
            False, True, "", _told(str(status.get("reason", "Failed")), str(status.get("message", "")))
        )
    if "running" in state:
        return Progress(True)
    waiting = state.get("waiting") or {}
    reason, text = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in STUCK:
        return Progress(False, True, "", f"{CANNOT_START}: {_told(reason, text)}")
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            told = _told(str(condition.get("reason", "")), str(condition.get("message", "")))
            return Progress(trouble=f"{CANNOT_START}: {told}")
    named = f"{CANNOT_START}: {_told(reason, text)}" if reason else ""
    return Progress(trouble=named)


def _told(reason: str, text: str) -> str:
    return ": ".join(part for part in (reason, " ".join(text.split())[:400]) if part)


def summary(text: str) -> Mapping[str, Any] | None:
    """The agent's JSON object; None where this is none of a version that is known."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    known = isinstance(found, dict) and found.get("v") == VERSION
    return found if known else None


def in_log(found: Mapping[str, Any] | None) -> bool:
    """Whether the rows stand in the log because the message could not hold them, or no message came."""
    return found is None or not isinstance(found.get("results"), list)


def unanswered(probes: Sequence[Probe], why: str) -> list[ProbeResult]:
    """Results without an answer."""
    return [ProbeResult(probe, None, why) for probe in probes]


def tested(probes: Sequence[Probe], found: Mapping[str, Any] | None) -> list[ProbeResult]:
    """One result a probe from the summary of a test."""
    if found is None or in_log(found) or len(found["results"]) != len(probes):
        return unanswered(probes, "the probe pod's answer cannot be read")
    try:
        return [_tested(p, *_padded(row, 6)) for p, row in zip(probes, found["results"], strict=True)]
    except (TypeError, ValueError):
        return unanswered(probes, "the probe pod's answer cannot be read")


def _padded(row: Sequence[Any], size: int) -> list[Any]:
    return [*row, *[""] * (size - len(row))]


def _tested(
    probe: Probe, answer: str, seconds: float, tries: int, connected: int, settled: int, detail: str
) -> ProbeResult:
    more = f" ({detail})" if detail else ""
    if not tries:
        return ProbeResult(probe, None, "it was not tried before the time was over")
    if not settled:
        text = f"the answers kept changing: {connected} of {tries} attempts connected, the last was {answer}"
        return ProbeResult(probe, None, text)
    if answer == "connected":
        return ProbeResult(probe, True, f"connected in {max(seconds * 1000, 1):.0f} ms{more}")
    if answer not in _NO:
        return ProbeResult(probe, None, f"{answer}{more}")
    count = f", {tries} attempts" if tries > 1 else ""
    text = f"{_NO[answer]}{more}{count}"
    return ProbeResult(probe, _denied(probe, answer, detail), text)


def _denied(probe: Probe, answer: str, detail: str) -> bool | None:
    """Silence proves nothing of a datagram, unless a resolver was asked, which answers everything.

    A name that does not resolve cuts off whoever needs it, but does not show that a denial holds.
    """
    if answer == "unresolved":
        return False if probe.reachable else None
    if probe.protocol == "UDP" and answer == "timeout" and probe.check != "dns" and probe.port != 53:
        return None
    return False


def kept(probes: Sequence[Probe], found: Mapping[str, Any] | None) -> list[ProbeResult]:
    """One result a probe from the latest summary of connections that are held."""
    if found is None or in_log(found) or len(found["results"]) != len(probes):
        return unanswered(probes, "the probe pod says nothing of the connections that it holds")
    limit = found.get("ended") == "limit"
    try:
        return [_kept(p, limit, *_padded(row, 6)) for p, row in zip(probes, found["results"], strict=True)]
    except (TypeError, ValueError):
        return unanswered(probes, "the probe pod's answer cannot be read")


def quiet(found: Mapping[str, Any] | None) -> float:
    """For how many seconds the quietest of the connections that are still open was not heard of."""
    rows = [] if found is None or in_log(found) or found.get("ended") != "running" else found["results"]
    return max((float(row[4]) for row in rows if row[0] == "open"), default=0.0)


def _kept(
    probe: Probe, limit: bool, state: str, answer: str, lasted: float, ago: float, quiet: float, detail: str
) -> ProbeResult:
    more = f" ({detail})" if detail else ""
    if state == "open" and limit:
        return ProbeResult(probe, None, f"let go at its limit, open for {lasted:.0f} s until then")
    if state == "open" and quiet > SILENCE:
        return ProbeResult(probe, None, f"open for {lasted:.0f} s, but not heard of for {quiet:.0f} s")
    if state == "open":
        return ProbeResult(probe, True, f"open for {lasted:.0f} s, and in use")
    if state == "broke":
        word = _NO.get(answer, answer)
        return ProbeResult(probe, False, f"broke {ago:.0f} s ago after {lasted:.0f} s: {word}{more}")
    if state == "closed":
        return ProbeResult(probe, None, f"the server closed it after {lasted:.0f} s: that shows no denial")
    return ProbeResult(probe, None, f"could not be opened: {answer}{more}")
