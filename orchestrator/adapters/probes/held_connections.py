"""Connections that Jobs keep open over a change: opened, asked for, let go of."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.adapters.probes import job_report as report
from orchestrator.adapters.probes.answering_pods import pod_of, room
from orchestrator.adapters.probes.job_pod import probes_of
from orchestrator.adapters.probes.jobs import Jobs
from orchestrator.ports import Manifest, ProbeResult
from orchestrator.probe.agent import SILENCE, TOLD

POLL = 0.5  # seconds
QUIET = 2.5  # seconds; the kernel asks the peer each second


def started(jobs: Jobs, wanted: Sequence[Manifest], at_once: int, seconds: float) -> None:
    """Create them, no more than so many starting on one node at once; those for which there is no room by then at the end.

    `seconds` bound the wait of each.
    """
    waiting, end = list(wanted), jobs.clock.now() + timedelta(seconds=seconds)
    standing: list[Manifest] = []
    while waiting:
        if not standing or room(standing, jobs.pods(), at_once) > 0 or jobs.clock.now() >= end:
            made, _ = jobs.create(waiting.pop(0))
            standing += [made] if made is not None else []
            end = jobs.clock.now() + timedelta(seconds=seconds)
        else:
            jobs.pause(POLL)


def opened(jobs: Jobs, seconds: float) -> None:
    """Wait, for at most so long, until every pod says that it holds its connections, or cannot start."""
    end = jobs.clock.now() + timedelta(seconds=seconds)
    while _opening(jobs) and jobs.clock.now() < end:
        jobs.pause(POLL)


def _opening(jobs: Jobs) -> bool:
    standing = jobs.jobs()
    pods = jobs.pods() if standing else []
    for made in standing:
        pod, doubt = pod_of(pods, made)
        state = report.progress(pod) if pod else report.Progress()
        if state.ended or doubt:
            continue
        if pod is None or not state.started or report.summary(jobs.last_line(pod)) is None:
            return True
    return False


def came_of(jobs: Jobs) -> list[ProbeResult]:
    """What became of the connections.

    A peer that was not heard of for QUIET seconds may have been cut off just now: the kernel needs some seconds to
    call that broken, and is given them.
    """
    standing = jobs.jobs()
    pods = jobs.pods() if standing else []
    found: list[ProbeResult] = []
    end = jobs.clock.now() + timedelta(seconds=SILENCE + 2 * TOLD)
    for made in standing:
        pod, doubt = pod_of(pods, made)
        found += report.unanswered(probes_of(made), doubt) if doubt else _told(jobs, made, pod, end)
    return found


def _told(jobs: Jobs, made: Manifest, pod: Manifest | None, end: datetime) -> list[ProbeResult]:
    probes = probes_of(made)
    if pod is None:
        why = jobs.diagnosed(made) or "the pod that held the connections is gone"
        return report.unanswered(probes, why)
    state = report.progress(pod)
    if state.trouble and (state.ended or not state.started):
        return report.unanswered(probes, state.trouble)
    found = report.summary(state.message) if state.ended else None
    if not report.in_log(found):
        return report.kept(probes, found)
    found = report.summary(jobs.last_line(pod))
    while report.quiet(found) > QUIET and jobs.clock.now() < end:
        jobs.pause(POLL)
        found = report.summary(jobs.last_line(pod))
    return report.kept(probes, found)
