"""`uninstall`: put back or refuse while anything is unrestored, then take away everything but the promoted policies.

It may be stopped anywhere and run again. What it removes it names first.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

from orchestrator.adapters.bundle import DEFAULT, EXTRAS, Manifest, collected
from orchestrator.adapters.kubernetes import POD
from orchestrator.cli import wiring
from orchestrator.cli.requests import stopping, worked_on
from orchestrator.cli.wiring import Target
from orchestrator.errors import Conflict, NetpolCanaryError, NotFound, Refused
from orchestrator.ports import Kind
from orchestrator.rollout.model import TERMINAL
from orchestrator.rollout.objects import PROBE_LABEL
from orchestrator.rollout.outbox import UNSENT
from orchestrator.rollout.resource import Rollout, load
from orchestrator.steps import requests
from orchestrator.steps.context import (
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
from orchestrator.steps.write import BRIDGE_LABEL

WORKERS = ("netpol-canary", "netpol-canary-guard")
JOB = Kind("batch/v1", "Job")
RUNNING = ("Deployment", "CronJob")
OURS = (NAMESPACE_ROLLOUT, ANALYSIS, APPROVAL, FREEZE, ROLLOUT, SOURCE)  # what is owned first
PARTS = (DEFAULT, *EXTRAS, "impersonation")
GOING_SECONDS = 90.0
TRIES = 5  # of a compare-and-swap


def uninstall(target: Target, restore: bool, yes: bool, timeout: float) -> int:
    """0 once nothing is left; Refused, with nothing removed, while something stands unrestored or nobody says yes."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        left = _unrestored(ctx)
        if left and restore:
            _restored(ctx, left, timeout, stop)
            left = _unrestored(ctx)
        if left:
            said = ", ".join(f"{r.name} ({r.status.phase})" for r in left[:5])
            failed = all(r.status.phase == "Failed" for r in left)
            hint = (
                "`netpol-canary rollback NAME` tries it again" if failed else "--restore puts them back first"
            )
            raise Refused(f"not everything is restored: {said}; {hint}")
        if not _agreed(ctx, yes):
            raise Refused("nothing was removed; say yes, or give --yes")
        for line in _removed(ctx):
            print(line, flush=True)
    return 0


def _rollouts(ctx: Context) -> list[Rollout]:
    try:
        return [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]
    except NotFound:  # the CRDs are gone already
        return []


def _unrestored(ctx: Context) -> list[Rollout]:
    return [r for r in _rollouts(ctx) if r.status.phase not in TERMINAL or r.status.phase == "Failed"]


def _restored(ctx: Context, left: Iterable[Rollout], timeout: float, stop: threading.Event) -> None:
    """Ask for the way back of all that runs, and wait for it; done here where no controller is at work."""
    from orchestrator.cli.run import holder
    from orchestrator.engine.embedded import Embedded

    names = [r.name for r in left if r.status.phase != "Failed"]
    for rollout in left:
        if rollout.status.phase not in (*TERMINAL, "RollingBack"):
            requests.ask(ctx, rollout, "abort")
            print(f"{rollout.name}: asked to put everything back", flush=True)
    end = ctx.clock.now().timestamp() + timeout
    if not worked_on(ctx, "controller"):
        for name in names:
            over = lambda: stop.is_set() or ctx.clock.now().timestamp() > end  # noqa: E731
            Embedded(ctx, holder(), stop=over).drive(name)
        return
    while ctx.clock.now().timestamp() < end and not stop.is_set():
        if not {r.name for r in _unrestored(ctx)} & set(names):
            return
        ctx.clock.sleep(1.0)


def _agreed(ctx: Context, yes: bool) -> bool:
    policies = ctx.cluster.list(POLICY, None, "netpol-canary.dev/source")
    sources = len(_listed(ctx, SOURCE))
    print(
        f"This removes the namespace {ctx.namespace} with all that is in it (Secrets, {sources} sources, the record "
        f"of {len(_rollouts(ctx))} rollouts), the CRDs, roles and admission policies of netpol-canary. "
        f"{len(policies)} promoted policies stay as they are."
    )
    if yes:
        return True
    if not sys.stdin.isatty():
        return False
    return input("Go on? [y/N] ").strip().lower() in ("y", "yes")


def _listed(ctx: Context, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
    """Nothing where the cluster does not know the kind."""
    try:
        return ctx.cluster.list(kind, namespace, labels)
    except NotFound:
        return []


def _removed(ctx: Context) -> Iterable[str]:
    """Who works goes first, so that nothing comes back; then what they made; then what was installed."""
    documents = collected(PARTS)[::-1]
    for obj in documents:
        if obj["kind"] in RUNNING:
            yield from _gone(ctx, obj)
    _wait(
        ctx, lambda: not any(_listed(ctx, POD, ctx.namespace, f"app.kubernetes.io/name={w}") for w in WORKERS)
    )
    for obj in _listed(ctx, JOB, None, PROBE_LABEL):
        yield from _gone(ctx, obj)
    for obj in _listed(ctx, POLICY, None, BRIDGE_LABEL):
        yield from _gone(ctx, obj)
    for kind in OURS:
        for obj in _listed(ctx, kind, ctx.namespace):
            _let_go(ctx, obj)
            yield from _gone(ctx, obj)
    for obj in documents:
        if obj["kind"] not in (*RUNNING, NAMESPACE.kind):
            yield from _gone(ctx, obj)
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ctx.namespace}}
    yield from _gone(ctx, space)
    if not _wait(ctx, lambda: _absent(ctx, space)):
        yield f"namespace/{ctx.namespace} is still going; `kubectl describe namespace {ctx.namespace}` says why"


def _let_go(ctx: Context, obj: Manifest) -> None:
    """Take our finalizers off what has ended: everything is restored, and nobody is left to be told."""
    kind, name = Kind(obj["apiVersion"], obj["kind"]), obj["metadata"]["name"]
    for _ in range(TRIES):
        meta = obj["metadata"]
        kept = [f for f in meta.get("finalizers") or [] if f not in (FINALIZER, UNSENT)]
        if kept == (meta.get("finalizers") or []):
            return
        try:
            ctx.cluster.replace({**obj, "metadata": {**meta, "finalizers": kept}})
            return
        except Conflict:  # the garbage collector writes, too
            obj = ctx.cluster.get(kind, name, ctx.namespace)
        except NotFound:
            return


def _gone(ctx: Context, obj: Manifest) -> Iterable[str]:
    """Delete it where it is there."""
    meta, kind = obj["metadata"], Kind(obj["apiVersion"], obj["kind"])
    try:
        ctx.cluster.delete(kind, meta["name"], meta.get("namespace"), uid="", resource_version="")
    except NotFound:
        return
    space = f" in {meta['namespace']}" if meta.get("namespace") not in (None, ctx.namespace) else ""
    yield f"{obj['kind'].lower()}/{meta['name']} deleted{space}"


def _absent(ctx: Context, obj: Manifest) -> bool:
    try:
        ctx.cluster.get(Kind(obj["apiVersion"], obj["kind"]), obj["metadata"]["name"])
    except NotFound:
        return True
    except NetpolCanaryError:
        return False
    return False


def _wait(ctx: Context, done: object) -> bool:
    """Whether it came in time."""
    assert callable(done)
    end = ctx.clock.now().timestamp() + GOING_SECONDS
    while not done():
        if ctx.clock.now().timestamp() > end:
            return False
        ctx.clock.sleep(0.5)
    return True
