"""Who works on a rollout: one Lease each, staleness judged by locally observed change."""

from contextlib import suppress
from dataclasses import dataclass, field

from orchestrator.context import Context
from orchestrator.elapsed import Reading, reading, since
from orchestrator.errors import Conflict, NotFound
from orchestrator.ports import Kind, Manifest

LEASE = Kind("coordination.k8s.io/v1", "Lease")


@dataclass
class Lease:
    """Held by `holder` for `seconds` after each renewal, by a monotonic clock; trusts no remote one, and no wall clock.

    `taken_over` where somebody else had it and did not hand it over; `created` where there was none.
    """

    ctx: Context
    name: str
    holder: str
    seconds: float = 15.0
    renewed: Reading | None = None
    taken_over: bool = False
    created: bool = False
    stated: float = 0.0
    _seen: tuple[str, Reading] | None = field(default=None, repr=False)

    def acquire(self) -> bool:
        """True where this holder has it now; False where another one does."""
        age = since(self.ctx.clock, self.renewed)
        if age is not None and age < self.seconds / 3:
            return True
        try:
            found = self.ctx.cluster.get(LEASE, self.name, self.ctx.namespace)
        except NotFound:
            return self._write(None)
        holder = (found.get("spec") or {}).get("holderIdentity", "")
        if holder in ("", self.holder):
            return self._write(found)
        if self._still(str(found["metadata"]["resourceVersion"])) < self.seconds:
            return False
        self.taken_over = True
        return self._write(found)

    def unchanged(self) -> float:
        """Look, and take nothing: for how many seconds this process has seen no change, absence included.

        `stated` is then for how long its holder has it by its own word, 0 where it does not say.
        """
        version = ""
        try:
            found = self.ctx.cluster.get(LEASE, self.name, self.ctx.namespace)
            version = str(found["metadata"]["resourceVersion"])
            self.stated = float((found.get("spec") or {}).get("leaseDurationSeconds") or 0)
        except NotFound:
            self.stated = 0.0
        return self._still(version)

    def _still(self, version: str) -> float:
        """For how many seconds this process has seen no other version; anew where nobody can tell."""
        passed = since(self.ctx.clock, self._seen[1]) if self._seen and self._seen[0] == version else None
        if passed is None:
            self._seen = (version, reading(self.ctx.clock))
            return 0.0
        return passed

    def safe(self, request_timeout: float) -> bool:
        """Whether a write begun now lands before anyone else may take over."""
        age = since(self.ctx.clock, self.renewed)
        return age is not None and age < self.seconds - request_timeout

    def release(self) -> None:
        """Let the next one have it at once."""
        with suppress(NotFound, Conflict):
            found = self.ctx.cluster.get(LEASE, self.name, self.ctx.namespace)
            if found["spec"].get("holderIdentity") == self.holder:
                found["spec"]["holderIdentity"] = ""
                self.ctx.cluster.replace(found)
        self.renewed = None

    def _write(self, found: Manifest | None) -> bool:
        sent = reading(self.ctx.clock)
        spec = {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": int(max(self.seconds, 1)),
            "renewTime": self.ctx.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        try:
            if found is None:
                metadata = {"name": self.name, "namespace": self.ctx.namespace}
                body = {
                    "apiVersion": LEASE.api_version,
                    "kind": LEASE.kind,
                    "metadata": metadata,
                    "spec": spec,
                }
                self.ctx.cluster.create(body)
                self.created = True
            else:
                self.ctx.cluster.replace({**found, "spec": spec})
        except (Conflict, NotFound):
            return False
        self.renewed = sent
        return True


def of_rollout(ctx: Context, name: str, holder: str, seconds: float) -> Lease:
    """That of whoever works on a rollout."""
    return Lease(ctx, called(name), holder, seconds)


def called(rollout: str) -> str:
    """The name of a rollout's Lease."""
    return f"rollout-{rollout}"[:253]
