"""An API server in memory: enough of Kubernetes' object semantics to roll out against."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from orchestrator.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from orchestrator.policy.objects import selector
from orchestrator.policy.objects.cloning import clone
from orchestrator.policy.schemas.schema import problems, with_defaults
from orchestrator.ports import Clock, Event, Kind, Manifest
from orchestrator.sandbox.admission import refusal
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.strict import refused, thawed

Key = tuple[Kind, str, str]
Caller = tuple[str, tuple[str, ...]]
NAMESPACE = Kind("v1", "Namespace")
POD = Kind("v1", "Pod")
POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")
STATUS_GROUP = "netpol-canary.dev/"
MOST_HISTORY = 1000


class MemoryCluster:
    """Implements `Cluster`. `writes` counts what changed something, by verb and kind.

    `vouches` says whether config/admission stands; users in `writers` may create rollouts, and users and groups in
    `breakers` may break the glass.
    """

    def __init__(
        self, clock: Clock | None = None, user: str = "sandbox", groups: tuple[str, ...] = ()
    ) -> None:
        self._clock = clock or SimulatedClock()
        self._user, self._groups = user, groups
        self._objects: dict[Key, Manifest] = {}
        self._version = 0
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._history: deque[tuple[int, Event]] = deque(maxlen=MOST_HISTORY)
        self.writes: Counter[tuple[str, str]] = Counter()
        self.logs: dict[tuple[str, str], str] = {}  # what a pod has written, by namespace and name
        self.vouches, self.writers, self.breakers = True, {user}, {"on-call"}
        self.strict = True  # else it keeps what another version's CRDs took
        self.latency = 0.0  # seconds that a write takes, on the clock

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest:
        with self._lock:
            return clone(self._find(kind, name, namespace))

    def list(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        wanted = selector.parse(labels)
        with self._lock:
            found = [
                key
                for key, obj in self._objects.items()
                if key[0] == kind
                and namespace in (None, key[1])
                and selector.matches(wanted, obj["metadata"].get("labels") or {})
            ]
            return [clone(self._objects[key]) for key in sorted(found)]

    def acting_as(self, user: str, *groups: str) -> Acting:
        """The same cluster, called by somebody else."""
        return Acting(self, (user, groups))

    def create(self, obj: Manifest, *, dry_run: bool = False, caller: Caller | None = None) -> Manifest:
        with self._lock:
            found = self._stored(obj)
            key = self._key(found)
            self._open(key)
            self._admit(found, None, caller)
            if key in self._objects:
                raise Conflict(f"{key[0].kind} {key[2]} exists already", reason="AlreadyExists")
            meta = found["metadata"]
            now = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            meta.update(uid=str(uuid.uuid4()), generation=1, creationTimestamp=now)
            if key[0].api_version.startswith(STATUS_GROUP):
                found.pop("status", None)
            if key[0] == NAMESPACE:
                meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]
            return self._keep(key, found, "create", dry_run)

    def replace(self, obj: Manifest, *, dry_run: bool = False, caller: Caller | None = None) -> Manifest:
        with self._lock:
            found = self._stored(obj)
            key = self._key(found)
            old = self._current(key, found)
            if self.strict and self.vouches and thawed(found, old):
                raise _invalid(found, ["spec: the spec is frozen at creation"])
            self._admit(found, old, caller)
            for name in ("uid", "creationTimestamp", "deletionTimestamp"):
                if name in old["metadata"]:
                    found["metadata"][name] = old["metadata"][name]
            changed = found.get("spec") != old.get("spec")
            found["metadata"]["generation"] = old["metadata"].get("generation", 1) + int(changed)
            if key[0].api_version.startswith(STATUS_GROUP):
                found.pop("status", None)
                if "status" in old:
                    found["status"] = old["status"]
            return self._keep(key, found, "replace", dry_run)

    def replace_status(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        with self._lock:
            key = self._key(obj)
            old = self._current(key, obj)
            found = {**clone(old), "status": clone(obj.get("status") or {})}
            if self.strict and (wrong := refused(found)):
                raise _invalid(found, wrong)
            return self._keep(key, found, "status", dry_run)

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None,
        *,
        uid: str,
        resource_version: str,
        dry_run: bool = False,
    ) -> None:
        with self._lock:
            old = self._find(kind, name, namespace)
            meta = old["metadata"]
            if (uid and meta["uid"] != uid) or (
                resource_version and meta["resourceVersion"] != resource_version
            ):
                raise Conflict(f"{kind.kind} {name} changed: the precondition failed")
            if dry_run:
                return
            self.writes["delete", kind.kind] += 1
            self._remove((kind, namespace or "", name))

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        wanted = selector.parse(labels)
        with self._lock:
            seen = int(since) if since else self._version
            standing = [] if since else self.list(kind, namespace, labels)
        yield from (Event("ADDED", obj) for obj in standing)
        end = time.monotonic() + seconds
        while True:
            with self._changed:
                if self._history and seen < self._history[0][0] - 1:
                    raise Gone(f"resourceVersion {seen} is too old")
                fresh = [item for item in self._history if item[0] > seen]
                left = end - time.monotonic()
                if not fresh and left > 0:
                    self._changed.wait(left)
            for version, event in fresh:
                seen = version
                meta = event.obj["metadata"]
                mine = (event.obj["apiVersion"], event.obj["kind"]) == kind
                mine = mine and namespace in (None, meta.get("namespace") or "")
                if mine and selector.matches(wanted, meta.get("labels") or {}):
                    yield Event(event.type, clone(event.obj))
            if not fresh and left <= 0:
                return

    def _tell(self, verb: str, obj: Manifest) -> None:
        self._history.append((self._version, Event(verb, clone(obj))))
        self._changed.notify_all()

    def log(self, name: str, namespace: str, *, lines: int = 0, limit_bytes: int = 65536) -> str:
        with self._lock:
            self._find(POD, name, namespace)
            text = self.logs.get((namespace, name), "")
        kept = "".join(text.splitlines(keepends=True)[-lines:]) if lines else text
        return kept.encode()[:limit_bytes].decode("utf-8", "replace")

    def user(self) -> tuple[str, tuple[str, ...]]:
        return self._user, self._groups

    def _remove(self, key: Key) -> None:
        obj = self._objects[key]
        held = bool(obj["metadata"].get("finalizers"))
        if key[0] == NAMESPACE:
            for inner in [k for k in self._objects if k[1] == key[2]]:
                if inner in self._objects:
                    self._remove(inner)
            held = held or any(k[1] == key[2] for k in self._objects)
        if held:
            if "deletionTimestamp" not in obj["metadata"]:
                gone = clone(obj)
                gone["metadata"]["deletionTimestamp"] = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
                self._keep(key, gone, "mark", False)
            return
        del self._objects[key]
        self._version += 1
        self._tell("DELETED", {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}})
        self._collect(key, obj["metadata"]["uid"])

    def _collect(self, key: Key, uid: str) -> None:
        """What an object owned goes with it; a Terminating namespace goes with its last object."""
        for other, child in list(self._objects.items()):
            if other in self._objects and any(
                r.get("uid") == uid for r in child["metadata"].get("ownerReferences") or []
            ):
                self._remove(other)
        space = (NAMESPACE, "", key[1])
        held = self._objects.get(space) if key[1] else None
        if (
            held
            and held["metadata"].get("deletionTimestamp")
            and not any(k[1] == key[1] for k in self._objects)
        ):
            self._remove(space)

    def _keep(self, key: Key, found: Manifest, verb: str, dry_run: bool) -> Manifest:
        old = self._objects.get(key)
        meta = found["metadata"]
        if old is not None:
            meta["resourceVersion"] = old["metadata"]["resourceVersion"]
            if found == old:
                return clone(found)
        if dry_run:
            return clone(found)
        self._version += 1
        meta["resourceVersion"] = str(self._version)
        if self.latency:
            self._clock.sleep(self.latency)
        self.writes[verb, key[0].kind] += 1
        self._objects[key] = found
        self._tell("ADDED" if old is None else "MODIFIED", found)
        if verb != "mark" and meta.get("deletionTimestamp") and not meta.get("finalizers"):
            self._remove(key)
        return clone(found)

    def _stored(self, obj: Manifest) -> Manifest:
        found = clone(obj)
        if not found.get("metadata", {}).get("name"):
            raise Invalid("metadata.name is required")
        written = {k: v for k, v in obj.items() if k != "status"}
        if wrong := problems(obj) or (refused(written) if self.strict else []):
            raise _invalid(obj, wrong)
        return with_defaults(obj) if POLICY.means(obj) else found

    def _current(self, key: Key, obj: Manifest) -> Manifest:
        old = self._find(key[0], key[2], key[1])
        version = obj["metadata"].get("resourceVersion")
        if not version:
            raise Invalid("metadata.resourceVersion must be given for an update")
        if version != old["metadata"]["resourceVersion"]:
            raise Conflict(f"{key[0].kind} {key[2]} has been modified")
        return old

    def _find(self, kind: Kind, name: str, namespace: str | None) -> Manifest:
        found = self._objects.get((kind, namespace or "", name))
        if found is None:
            where = f"{namespace}/{name}" if namespace else name
            raise NotFound(f"{kind.kind} {where} not found")
        return found

    def _admit(self, obj: Manifest, old: Manifest | None, caller: Caller | None) -> None:
        user, groups = caller or self.user()
        rights = {"breakglass", "emergency"} if self.breakers & {user, *groups} else set()
        rights |= {"write"} if user in self.writers else set()
        why = refusal(obj, old, user, groups, rights) if self.vouches else ""
        if why:
            raise Forbidden(f"{obj['kind']} {obj['metadata']['name']} is forbidden: {why}")

    def _open(self, key: Key) -> None:
        if not key[1]:
            return
        space = self._objects.get((NAMESPACE, "", key[1]))
        if space is None:
            raise NotFound(f"namespace {key[1]} not found")
        if space["metadata"].get("deletionTimestamp"):
            raise Forbidden(f"namespace {key[1]} is being terminated", status=403)

    @staticmethod
    def _key(obj: Manifest) -> Key:
        meta: dict[str, Any] = obj["metadata"]
        return Kind(obj["apiVersion"], obj["kind"]), meta.get("namespace") or "", meta["name"]


def _invalid(obj: Manifest, wrong: list[str]) -> Invalid:
    text = f"{obj['kind']} {obj['metadata']['name']} is not valid: {'; '.join(wrong)}"
    return Invalid(text[:1000], 422, "Invalid")


class Acting:
    """Implements `Cluster`: a MemoryCluster as another user calls it."""

    def __init__(self, cluster: MemoryCluster, caller: Caller) -> None:
        self._cluster, self._caller = cluster, caller

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def user(self) -> Caller:
        return self._caller

    def create(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        return self._cluster.create(obj, dry_run=dry_run, caller=self._caller)

    def replace(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        return self._cluster.replace(obj, dry_run=dry_run, caller=self._caller)
