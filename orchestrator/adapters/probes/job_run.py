"""One run of probes: Jobs created as there is room for them, watched, read and deleted, until a deadline."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.adapters.probes import job_report as report
from orchestrator.adapters.probes.answering_pods import pod_of, room
from orchestrator.adapters.probes.jobs import Jobs
from orchestrator.adapters.probes.probe_ends import Batch
from orchestrator.ports import Manifest, Probe, ProbeResult
from orchestrator.rollout.resources.model import Probing

POLLS = (0.25, 0.25, 0.5, 0.5, 0.5, 0.5)  # seconds between two looks; then LATER
LATER = 1.0
DIAGNOSED = 3.0  # seconds without a pod after which the API server is asked why
MOST_ROUNDS = 4  # a run lasts at most so many times the seconds of a pod, however many Jobs there are


@dataclass
class Standing:
    """A Job that was created, and what is known of it."""

    batch: Batch
    made: Manifest
    since: datetime
    seen: bool = False
    asked: bool = False
    trouble: str = ""


@dataclass
class Run:
    """`results` by the number of the probe; `make` gives the Job of a batch."""

    jobs: Jobs
    probing: Probing
    make: Callable[[Batch], Manifest]
    waiting: list[Batch]
    standing: list[Standing] = field(default_factory=list)
    results: dict[int, ProbeResult] = field(default_factory=dict)
    pods: Sequence[Manifest] = ()

    def work(self) -> None:
        """Until every batch has its results. Raises PortError and RetryLater, with Jobs left standing."""
        seconds = self._rounds() * self.probing.seconds
        end = self.jobs.clock.now() + timedelta(seconds=seconds)
        polls = iter(POLLS)
        while self.waiting or self.standing:
            self._fill()
            if self.standing:
                self.jobs.pause(next(polls, LATER))
                self.pods = self.jobs.pods()
                self._look(self.pods)
            if self.jobs.clock.now() >= end:
                self._give_up(seconds)

    def _rounds(self) -> int:
        """How often all the room is filled, at most."""
        spaces = Counter(b.namespace for b in self.waiting)
        needed = [-(-count // self.probing.pods_per_namespace) for count in spaces.values()]
        return min(MOST_ROUNDS, max(-(-len(self.waiting) // self.probing.pods_at_once), *needed))

    def _settle(self, batch: Batch, found: Iterable[ProbeResult]) -> None:
        self.results.update(zip((number for number, _ in batch.probes), found, strict=True))

    def _fail(self, batch: Batch, why: str) -> None:
        self._settle(batch, report.unanswered([p for _, p in batch.probes], why))

    def _fill(self) -> None:
        busy = Counter(s.batch.namespace for s in self.standing)
        starts = room([s.made for s in self.standing], self.pods, self.probing.starts_per_node)
        for batch in list(self.waiting):
            fits = busy[batch.namespace] < self.probing.pods_per_namespace
            if not fits or starts <= 0 or len(self.standing) >= self.probing.pods_at_once:
                continue
            starts -= 1
            self.waiting.remove(batch)
            made, why = self.jobs.create(self.make(batch))
            if made is None:
                self._fail(batch, why)
                continue
            busy[batch.namespace] += 1
            self.standing.append(Standing(batch, made, self.jobs.clock.now()))

    def _look(self, pods: Sequence[Manifest]) -> None:
        for standing in list(self.standing):
            pod, doubt = pod_of(pods, standing.made)
            probes = [p for _, p in standing.batch.probes]
            waited = (self.jobs.clock.now() - standing.since).total_seconds()
            if doubt:
                found: list[ProbeResult] | None = report.unanswered(probes, doubt)
            elif pod is not None:
                found = self._with_pod(standing, probes, waited, pod)
            else:
                found = self._without_pod(standing, probes, waited)
            if found is not None:
                self._settle(standing.batch, found)
                self.standing.remove(standing)
                self.jobs.delete(standing.made)

    def _with_pod(
        self, standing: Standing, probes: Sequence[Probe], waited: float, pod: Manifest
    ) -> list[ProbeResult] | None:
        """The results; None as long as they may still come."""
        standing.seen = True
        state = report.progress(pod)
        standing.trouble = state.trouble or standing.trouble
        if state.ended and state.trouble:
            return report.unanswered(probes, state.trouble)
        if state.ended:
            found = report.summary(state.message)
            found = report.summary(self.jobs.last_line(pod)) if report.in_log(found) else found
            return report.tested(probes, found)
        if waited >= self.probing.seconds:
            return report.unanswered(probes, f"the probe pod did not end within {self.probing.seconds} s")
        if not state.started and waited >= self.probing.seconds / 2:
            text = state.trouble or f"{report.CANNOT_START}: the pod did not start"
            return report.unanswered(probes, f"{text}, after {waited:.0f} s")
        return None

    def _without_pod(
        self, standing: Standing, probes: Sequence[Probe], waited: float
    ) -> list[ProbeResult] | None:
        """The same where no pod is seen."""
        if standing.seen:
            return report.unanswered(probes, "the probe pod was deleted before it had answered")
        if waited >= DIAGNOSED and not standing.asked:
            standing.asked = True
            standing.trouble = self.jobs.diagnosed(standing.made)
            if standing.trouble:
                return report.unanswered(probes, standing.trouble)
        if waited < self.probing.seconds / 2:
            return None
        place = f"-n {standing.batch.namespace} {standing.made['metadata']['name']}"
        text = (
            f"{report.CANNOT_START}: no pod came about within {waited:.0f} s (kubectl describe job {place})"
        )
        return report.unanswered(probes, text)

    def _give_up(self, seconds: int) -> None:
        for standing in self.standing:
            self._fail(standing.batch, standing.trouble or "the probe pod did not end in time")
        for batch in self.waiting:
            self._fail(batch, f"not tried: the probes before it took all of {seconds} s")
        self.standing, self.waiting = [], []
