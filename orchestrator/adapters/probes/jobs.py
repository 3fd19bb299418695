"""The Jobs of one owner in the cluster: created, found again, read, deleted."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.adapters.probes import job_report as report
from orchestrator.adapters.probes.job_pod import JOB, bare_pod, selector
from orchestrator.adapters.probes.probe_ends import POD
from orchestrator.errors import ApiError, Busy, Conflict, Forbidden, NotFound, RetryLater
from orchestrator.ports import Clock, Cluster, Kind, Manifest

MOST_LOG = 256 * 1024


@dataclass(frozen=True)
class Jobs:
    """Those that carry the labels `mine`, in `spaces`; `beat` is called before each wait. Methods raise PortError."""

    cluster: Cluster
    clock: Clock
    mine: Mapping[str, str]
    spaces: Sequence[str] = ()
    beat: Callable[[], None] = lambda: None

    def create(self, made: Manifest) -> tuple[Manifest | None, str]:
        """The Job as it stands, or why the API server does not take it."""
        try:
            return self.cluster.create(made), ""
        except Busy:
            raise
        except ApiError as error:
            return None, self._refused(made, error)

    def jobs(self) -> list[Manifest]:
        """All of them."""
        return self._listed(JOB)

    def pods(self) -> list[Manifest]:
        """Theirs, and those of Jobs that are gone already."""
        return self._listed(POD)

    def _listed(self, kind: Kind) -> list[Manifest]:
        """In all namespaces by one call; in those at hand where the caller may not do that."""
        try:
            return self.cluster.list(kind, None, selector(self.mine))
        except Forbidden:
            if not self.spaces:
                raise
        return [o for space in self.spaces for o in self.cluster.list(kind, space, selector(self.mine))]

    def delete(self, made: Manifest) -> None:
        """It, and its pod with it; nothing where it is gone, or another one of its name."""
        meta = made["metadata"]
        with suppress(NotFound, Conflict):
            self.cluster.delete(JOB, meta["name"], meta["namespace"], uid=meta["uid"], resource_version="")

    def sweep(self) -> None:
        """Delete all: leftovers of a run that died, or of this one."""
        for made in self.jobs():
            self.delete(made)

    def last_line(self, pod: Manifest) -> str:
        """Of its log; empty where the pod is gone, or the right to read it is missing."""
        meta = pod["metadata"]
        try:
            return self.cluster.log(meta["name"], meta["namespace"], lines=1, limit_bytes=MOST_LOG)
        except Busy:
            raise
        except ApiError:
            return ""

    def diagnosed(self, made: Manifest) -> str:
        """What the API server has against the Job's pod: a quota, Pod Security, a webhook. Nothing is written."""
        pod = bare_pod(made)
        try:
            self.cluster.create(pod, dry_run=True)
        except ApiError as error:
            # Where we may not create pods ourselves, this is not what stops the Job's controller.
            return "" if 'cannot create resource "pods"' in str(error) else self._refused(pod, error)
        return ""

    @staticmethod
    def _refused(obj: Manifest, error: ApiError) -> str:
        reason = error.reason or type(error).__name__
        return f"{report.CANNOT_START} in {obj['metadata']['namespace']}: {reason}: {error}"

    def pause(self, seconds: float) -> None:
        """Wait. Raises RetryLater where the clock does not: then this process is asked to end."""
        self.beat()
        before = self.clock.now()
        self.clock.sleep(seconds)
        if (self.clock.now() - before).total_seconds() < seconds / 2:
            raise RetryLater("this process is asked to end while probes run")
