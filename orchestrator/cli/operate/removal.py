"""Takes an installation out of a cluster: who works first, then what they made, then what was installed.

Nothing here decides whether it may go: but a finalizer of ours is only taken off what has ended, by compare-and-swap.
"""

from collections.abc import Callable, Collection, Iterator

from orchestrator.adapters.kube.bundle import DEFAULT, EXTRAS, KINDS, Manifest, collected
from orchestrator.adapters.kube.cluster import POD
from orchestrator.cli.process import ticks
from orchestrator.context import (
    ANALYSIS,
    APPROVAL,
    FINALIZER,
    FREEZE,
    NAMESPACE,
    NAMESPACE_ROLLOUT,
    POLICY,
    ROLLOUT,
    SOURCE,
    Context,
)
from orchestrator.errors import Conflict, NetpolCanaryError, NotFound, Refused
from orchestrator.policy.writes.bridges import bridge_tag, labelled
from orchestrator.ports import Kind
from orchestrator.rollout.outbox import UNSENT
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.objects import PROBE_LABEL
from orchestrator.writing.stray_bridges import tags

WORKERS = ("netpol-canary", "netpol-canary-guard")
JOB = Kind("batch/v1", "Job")
RUNNING = ("Deployment", "CronJob")
OURS = (NAMESPACE_ROLLOUT, ANALYSIS, APPROVAL, FREEZE, ROLLOUT, SOURCE)  # what is owned first
PARTS = (DEFAULT, *EXTRAS, KINDS, "impersonation")
GOING_SECONDS = 90.0
TRIES = 5  # of a compare-and-swap


class Removal:
    """`engines`, then `everything`; both give a line for each object that goes, and may be run again.

    `lose` names Failed rollouts that are given up.
    """

    def __init__(self, ctx: Context, lose: Collection[str] = ()) -> None:
        self._ctx, self._lose = ctx, lose
        self._documents = collected(PARTS)[::-1]

    def engines(self) -> Iterator[str]:
        """Controllers, guards and what runs on a schedule. Raises Refused where their pods do not end."""
        for obj in self._documents:
            if obj["kind"] in RUNNING:
                yield from self._gone(obj)
        if not self._wait(lambda: not self._pods()):
            pods = ", ".join(p["metadata"]["name"] for p in self._pods())
            raise Refused(
                f"pods of {self._ctx.namespace} do not end: {pods}; they may still write. Run this again once they are gone"
            )

    def everything(self) -> Iterator[str]:
        """All the rest. Raises Refused where something has not ended, or the namespace does not go."""
        for obj in self._listed(JOB, None, PROBE_LABEL):
            yield from self._gone(obj)
        for obj in self._bridges():
            yield from self._gone(obj)
        for kind in OURS:
            for obj in self._listed(kind):
                self._let_go(obj)
                yield from self._gone(obj)
        for obj in self._documents:
            if obj["kind"] not in (*RUNNING, NAMESPACE.kind):
                yield from self._gone(obj)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._ctx.namespace}}
        yield from self._gone(space)
        if not self._wait(lambda: self._absent(space)):
            raise Refused(f"namespace/{self._ctx.namespace} does not go: {self._why()}; run this again then")

    def _pods(self) -> list[Manifest]:
        name = "app.kubernetes.io/name"
        return [p for w in WORKERS for p in self._listed(POD, self._ctx.namespace, f"{name}={w}")]

    def _listed(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        """Nothing where the cluster does not know the kind."""
        try:
            return self._ctx.cluster.list(kind, namespace, labels)
        except NotFound:
            return []

    def _bridges(self) -> list[Manifest]:
        """By name, for labels may have been taken off; by label, as long as that names a rollout."""
        known = {t for rollout in self._listed(ROLLOUT) for t in tags(rollout)}
        return [o for o in self._listed(POLICY) if bridge_tag(o) or labelled(o) in known]

    def _let_go(self, obj: Manifest) -> None:
        """Take our finalizers off what has ended; nobody is left to be told."""
        kind, meta = Kind(obj["apiVersion"], obj["kind"]), obj["metadata"]
        for _ in range(TRIES):
            kept = [f for f in meta.get("finalizers") or [] if f not in (FINALIZER, UNSENT)]
            if kept == (meta.get("finalizers") or []):
                return
            self._ended(obj)
            try:
                self._ctx.cluster.replace({**obj, "metadata": {**meta, "finalizers": kept}})
                return
            except Conflict:  # the garbage collector writes, too
                try:
                    obj = self._ctx.cluster.get(kind, meta["name"], meta["namespace"])
                except NotFound:
                    return
                meta = obj["metadata"]
            except NotFound:
                return
        raise Refused(
            f"{kind.kind} {meta['name']} is written again and again: somebody works on it; try again"
        )

    def _ended(self, obj: Manifest) -> None:
        """Refused where a rollout is under way, so that what stood before is still needed."""
        rollout = obj
        if obj["kind"] == NAMESPACE_ROLLOUT.kind:
            try:
                rollout = self._ctx.cluster.get(ROLLOUT, obj["spec"]["rollout"], obj["metadata"]["namespace"])
            except NotFound:  # it can only have gone after it had ended
                return
        name, phase = rollout["metadata"]["name"], (rollout.get("status") or {}).get("phase", "Pending")
        if rollout["kind"] == ROLLOUT.kind and (
            phase not in TERMINAL or (phase == "Failed" and name not in self._lose)
        ):
            raise Refused(f"{name} is {phase}: somebody began it meanwhile; run this again with --restore")

    def _gone(self, obj: Manifest) -> Iterator[str]:
        """Delete it where it is there."""
        meta, kind = obj["metadata"], Kind(obj["apiVersion"], obj["kind"])
        try:
            self._ctx.cluster.delete(kind, meta["name"], meta.get("namespace"), uid="", resource_version="")
        except NotFound:
            return
        space = f" in {meta['namespace']}" if meta.get("namespace") not in (None, self._ctx.namespace) else ""
        yield f"{obj['kind'].lower()}/{meta['name']} deleted{space}"

    def _absent(self, obj: Manifest) -> bool:
        try:
            self._ctx.cluster.get(Kind(obj["apiVersion"], obj["kind"]), obj["metadata"]["name"])
        except NotFound:
            return True
        except NetpolCanaryError:
            return False
        return False

    def _why(self) -> str:
        """What the API server says of what holds the namespace."""
        try:
            status = self._ctx.cluster.get(NAMESPACE, self._ctx.namespace).get("status") or {}
        except NetpolCanaryError as error:
            return str(error)
        said = [c.get("message", "") for c in status.get("conditions") or [] if c.get("status") == "True"]
        return "; ".join(s for s in said if s) or "the API server does not say why"

    def _wait(self, done: Callable[[], bool]) -> bool:
        """Whether it came in time."""
        return any(done() for _ in ticks(self._ctx.clock, GOING_SECONDS, every=0.5))
