"""The port Prober on Jobs: one for each workload that connections start from, bounded and cleaned up."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.adapters.probes.held_connections import came_of, opened, started
from orchestrator.adapters.probes.job_pod import job, marks, resources
from orchestrator.adapters.probes.job_run import Run
from orchestrator.adapters.probes.jobs import Jobs
from orchestrator.adapters.probes.probe_ends import Batch, Workloads, batches
from orchestrator.errors import PortError
from orchestrator.ports import Clock, Cluster, Manifest, Probe, ProbeResult
from orchestrator.rollout.resources.model import Probing

ATTEMPT = 1.5  # seconds that one connection attempt may take
LAST = 2.0  # seconds before a pod's end at which the agent ends by itself, so that its message is read


@dataclass(frozen=True)
class JobProber:
    """Implements `Prober`. `owner` is whose Jobs these are: one run at a time is made in its name.

    A pod ends `probing.seconds` after its Job was created: half of that to start in, half to probe in. Pods that hold
    connections end after `probing.long_lived_seconds`. `beat` is called at least once a second while it waits: a run may take longer
    than whoever asks keeps a lease.
    """

    cluster: Cluster
    clock: Clock
    probing: Probing
    image: str
    owner: str
    beat: Callable[[], None] = lambda: None

    def run(self, probes: Sequence[Probe]) -> list[ProbeResult]:
        """One result a probe, in order. Raises PortError, and RetryLater where this process is asked to end."""
        waiting, failed = batches(Workloads(self.cluster), probes)
        results = {number: ProbeResult(probes[number], None, why) for number, why in failed.items()}
        if waiting:
            jobs = self._jobs("test", waiting)
            jobs.sweep()
            run = Run(jobs, self.probing, lambda batch: self._job(batch, "test"), waiting)
            try:
                run.work()
            finally:
                with suppress(PortError):
                    jobs.sweep()
            results.update(run.results)
        return [results[number] for number in range(len(probes))]

    def hold(self, probes: Sequence[Probe], key: str) -> None:
        """Open connections and keep them in use, until `held` or its end; returns once they are open.

        Also where some cannot be opened, or their pods cannot start: `held` says so. What has no pod to start from is
        left out. Raises PortError.
        """
        found, _ = batches(Workloads(self.cluster), probes)
        if not found:
            return
        jobs = self._jobs("hold", found, key)
        standing = {made["metadata"]["name"] for made in jobs.jobs()}
        missing = [self._job(b, "hold", key) for b in found]
        missing = [made for made in missing if made["metadata"]["name"] not in standing]
        started(jobs, missing, self.probing.starts_per_node, self.probing.seconds / 2)
        opened(jobs, self.probing.seconds / 2)

    def held(self, key: str) -> list[ProbeResult]:
        """What became of the connections held under `key`; they stay, so that it can be asked again. Raises PortError."""
        return came_of(self._jobs("hold", (), key))

    def release(self, key: str) -> None:
        """Delete the Jobs that hold connections under `key`. Raises PortError."""
        self._jobs("hold", (), key).sweep()

    def _jobs(self, mode: str, found: Sequence[Batch], key: str = "") -> Jobs:
        spaces = sorted({b.namespace for b in found})
        return Jobs(self.cluster, self.clock, marks(mode, self.owner, key), spaces, self.beat)

    def _job(self, batch: Batch, mode: str, key: str = "") -> Manifest:
        total = self.probing.long_lived_seconds if mode == "hold" else self.probing.seconds
        left = max(total - self.probing.seconds / 2 - LAST, LAST)
        work: dict[str, Any] = {"seconds": left, "stable": self.probing.stable_seconds, "timeout": ATTEMPT}
        if mode == "test":
            work["ready"] = min(self.probing.ready_seconds, left / 2)
        made = job(batch, mode, self.image, self.owner, key, total, work)
        made["spec"]["template"]["spec"]["containers"][0]["resources"] = resources(self.probing)
        return made
