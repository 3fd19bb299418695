"""Planted bugs: each takes one safeguard of the product away for as long as its context lasts; a simulation must notice."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest import mock

from simulation import process

from orchestrator.engine import controller, embedded
from orchestrator.errors import Conflict, Forbidden, NotFound, RetryLater
from orchestrator.ports import Kind
from orchestrator.rollout import approvals, objects
from orchestrator.steps import (
    analyze,
    context,
    finish,
    planning,
    registry,
    restore,
    snapshot,
    start,
    walk,
    write,
)
from orchestrator.steps.conflicts import Found

BUGS = {}


def bug(make):
    """Register a bug by the name of its function; it gives what is patched, as (owner, name, replacement)."""

    @contextmanager
    def planted():
        with ExitStack() as stack:
            for owner, name, instead in make():
                stack.enter_context(mock.patch.object(owner, name, instead))
            yield

    BUGS[make.__name__.replace("_", "-")] = planted
    return make


@bug
def no_fence():
    """A worker writes policies without asking whether it may have been replaced."""
    yield embedded, "_fence", lambda lease: None


@bug
def no_waiting_at_takeover():
    """What the old worker sent may land after the new one began."""
    yield embedded, "REQUEST_TIMEOUT", 0.0


@bug
def no_read_back():
    """The way back writes once, and takes it for done."""

    def back(ctx, item):
        spec = item.spec
        ends = restore.manifests(spec.before), restore.manifests(spec.after)
        try:
            return write.converge(ctx, spec.namespace, *ends, spec.rollout, forward=False)
        except (Conflict, NotFound, Forbidden, RetryLater):
            return 0

    yield restore, "_back", back


@bug
def bridges_forgotten():
    """What stood for policies while they were written is not taken away."""
    real = walk.order.steps

    def steps(*args):
        found = real(*args)
        left = [w for w in found.writes if w.action != "delete" or not _bridge(w.obj)]
        return replace(found, writes=tuple(left))

    yield walk.order, "steps", steps


@bug
def no_bridges():
    """Policies are written one after the other, with nothing that stands for them meanwhile."""
    real = walk.order.steps

    def steps(*args):
        found = real(*args)
        return replace(found, writes=tuple(w for w in found.writes if not _bridge(w.obj)))

    yield walk.order, "steps", steps


@bug
def policies_written_blindly():
    """Whatever stands there now is overwritten: no resourceVersion, no uid that was read before."""

    def put(ctx, live, wanted, key, namespace):
        ctx.fence()
        kind = Kind(key[0], key[1])
        try:
            live = ctx.cluster.get(kind, key[2], namespace)
        except NotFound:
            live = None
        if wanted is None:
            if live is not None:
                ctx.cluster.delete(kind, key[2], namespace, uid="", resource_version="")
            return None
        body = objects.bare(wanted)
        body["metadata"]["namespace"] = namespace
        if live is None:
            return ctx.cluster.create(body)
        body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        return ctx.cluster.replace(body)

    yield write, "_put", put


@bug
def status_written_blindly():
    """The phase is set, whoever changed it meanwhile."""

    def swapped(ctx, seen, updated):
        fresh = context.load(ctx.cluster.get(context.ROLLOUT, seen.name, ctx.namespace))
        return context.load(ctx.cluster.replace_status(fresh.with_status(updated)))

    yield context, "_swapped", swapped


@bug
def lease_by_wall_clock():
    """Who sets a clock makes a second writer."""
    yield process.Clock, "monotonic", lambda self: self.now().timestamp()


@bug
def approvals_without_digest():
    """An approval of another plan counts."""
    yield approvals, "_unrelated", lambda rollout, approval, at: ""


@bug
def authors_approve():
    """Who wrote a change lets it pass."""
    yield approvals, "authors", lambda rollout: (frozenset(), 0)


@bug
def no_samples_needed():
    """Silence counts as good."""
    real = analyze.verdict

    def verdict(*args, **kwargs):
        phase, reason = real(*args, **kwargs)
        return ("Successful", reason) if phase in ("Error", "Inconclusive") else (phase, reason)

    yield analyze, "verdict", verdict


@bug
def regressions_pass():
    """What hurts counts as good."""
    real = analyze.verdict

    def verdict(*args, **kwargs):
        phase, reason = real(*args, **kwargs)
        return ("Successful", reason) if phase == "Failed" else (phase, reason)

    yield analyze, "verdict", verdict


@bug
def held_revision_not_held():
    """What was rolled back begins again."""
    yield finish, "_engine_lost_once", lambda ctx, rollout: True


@bug
def two_rollouts_at_once():
    """A new revision does not ask what runs."""
    yield start, "active", lambda ctx, source: None
    yield controller, "active", lambda ctx, source: None


@bug
def finalizers_not_set():
    """Who deletes a rollout deletes what stood there before."""
    real = snapshot.new

    def new(*args, **kwargs):
        made = real(*args, **kwargs)
        return {**made, "metadata": {**made["metadata"], "finalizers": []}}

    yield snapshot, "new", new


@bug
def superseded_without_way_back():
    """A newer revision begins on what the older one has half written."""
    real = registry.STEPS["rollback"]

    def begin(ctx, state, action):
        if action.reason == "Superseded":
            context.change(ctx, state, action, phase="Superseded", reason=action.message)
        else:
            real(ctx, state, action)

    yield registry, "STEPS", registry.STEPS
    yield embedded, "STEPS", {**registry.STEPS, "rollback": begin}


@bug
def others_are_adopted():
    """An object of somebody else's is written, though the source says that it is refused."""
    yield planning, "conflict", lambda source, obj, namespace, where: Found()


@bug
def drift_overwritten():
    """What somebody changed since the plan was made is written over."""
    real = write.converge

    def converge(ctx, namespace, before, after, rollout, *, forward):
        try:
            return real(ctx, namespace, before, after, rollout, forward=forward)
        except write.Drift:
            return real(ctx, namespace, after, before, rollout, forward=False)

    from orchestrator.steps import apply

    yield apply, "converge", converge


@bug
def half_way_not_recognised():
    """A namespace that a killed worker left half written is taken for drift."""

    def path(namespace, before, after, others, name):
        return [dict(before), dict(after)]

    yield write, "path", path


def _bridge(obj):
    return write.BRIDGE_LABEL in (obj["metadata"].get("labels") or {})
