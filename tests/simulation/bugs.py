"""Planted bugs: each takes one safeguard of the product away for as long as its context lasts; a simulation must notice."""

from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from unittest import mock

from orchestrator import context, tenure
from orchestrator.elapsed import Reading
from orchestrator.engine import controller, lease, worker
from orchestrator.errors import Conflict, Forbidden, NotFound, RetryLater
from orchestrator.operations import start
from orchestrator.planning import planner
from orchestrator.planning.ownership import Found
from orchestrator.policy.narrow.scopes import NARROWED_FROM
from orchestrator.ports import Kind
from orchestrator.rollout import next as next_step
from orchestrator.rollout.gates import approvals, emergency, opening
from orchestrator.rollout.order import stages, write_path
from orchestrator.rollout.resources import objects
from orchestrator.sources import claim
from orchestrator.steps import analyze, apply, by_action, finish, promote, restore, snapshot
from orchestrator.writing import converge as write
from orchestrator.writing import pod_labels

BUGS, PLACES = {}, {}
MISFIT = (AttributeError, NameError, TypeError)  # what a bug raises that the product has outgrown


def bug(make):
    """Register a bug by the name of its function; it gives what is patched, as (owner, name, replacement)."""

    @contextmanager
    def planted():
        misfits = []
        with ExitStack() as stack:
            for owner, name, instead in make():
                stack.enter_context(_patched(owner, name, _watched(instead, misfits)))
            yield
        assert not misfits, f"the planted bug fails by itself: {misfits[0]!r}"

    BUGS[make.__name__.replace("_", "-")] = planted
    PLACES[make.__name__.replace("_", "-")] = make
    return make


def _watched(function, misfits):
    """The same; what nobody foresaw is kept, for the product bears it and goes on."""

    @wraps(function)
    def called(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except MISFIT as error:
            misfits.append(error)
            raise

    return called


def _patched(owner, name, instead):
    if isinstance(owner, dict):
        return mock.patch.dict(owner, {name: instead})
    return mock.patch.object(owner, name, instead)


def real(owner, name):
    """What stands where a bug is planted."""
    return owner[name] if isinstance(owner, dict) else getattr(owner, name)


@contextmanager
def counting():
    """Nothing is taken away; gives how often each bug's places are called, by bug and place."""
    calls = Counter()
    places = {}
    for bug_name, make in PLACES.items():
        for owner, name, _ in make():
            places.setdefault((id(owner), name), (owner, name, []))[2].append(bug_name)

    def counted(function, name, bugs):
        @wraps(function)
        def called(*args, **kwargs):
            calls.update((one, name) for one in bugs)
            return function(*args, **kwargs)

        return called

    with ExitStack() as stack:
        for owner, name, bugs in places.values():
            calls.update({(one, name): 0 for one in bugs})
            stack.enter_context(_patched(owner, name, counted(real(owner, name), name, bugs)))
        yield calls


@bug
def no_fence():
    """A worker writes policies without asking whether it may have been replaced."""
    yield worker, "_fence", lambda lease: None


@bug
def no_waiting_at_takeover():
    """What the old worker sent may land after the new one began, and nobody looks for it.

    Without the pause at the takeover alone nothing can go wrong: the fence ends a holder's writes one time-out before
    anybody may take over, and what lands later than that is refused or read back. So all of it is taken away.
    """

    def take_over(self, lease, state):
        go = worker.Action("wait", reason="TakenOver", message=f"{self.holder} goes on at once")
        worker.change(self.ctx, state, go, epoch=state.rollout.status.epoch + 1)
        lease.taken_over = False

    yield worker.Embedded, "_take_over", take_over
    yield tenure.Tenure, "left", lambda self, clock: 0.0
    yield tenure.Tenure, "open", lambda self, place: False


@bug
def no_read_back():
    """The way back writes once, and takes it for done."""

    def back(ctx, record, last=False):
        spec = record.item.spec
        ends = restore.manifests(spec.before), restore.manifests(spec.after)
        late = ctx.tenure.open(spec.namespace) and not last
        given = {"forward": False, "frozen": record.frozen(), "late": late}
        try:
            return write.converge(ctx, spec.namespace, *ends, spec.rollout, **given)
        except (Conflict, NotFound, Forbidden, RetryLater):
            return 0

    yield restore, "_back", back


@bug
def bridges_forgotten():
    """What stood for policies while they were written is not taken away."""
    yield write_path.write_order, "steps", _without(lambda one: one.action == "delete" and _bridge(one.obj))


@bug
def no_bridges():
    """Policies are written one after the other, with nothing that stands for them meanwhile."""
    yield write_path.write_order, "steps", _without(lambda one: _bridge(one.obj))


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

    def reading(clock):
        return Reading(0, clock.now().timestamp())

    def since(clock, then):
        return None if then is None else clock.now().timestamp() - then.seconds

    yield lease, "reading", reading
    yield lease, "since", since


@bug
def approvals_without_digest():
    """An approval of another plan counts."""
    known = approvals.unrelated

    def unrelated(rollout, approval, at):
        why = known(rollout, approval, at)
        return "" if why == "is for another plan" else why

    yield approvals, "unrelated", unrelated


@bug
def emergencies_without_digest():
    """An emergency of another plan counts."""
    known = emergency.unrelated

    def unrelated(rollout, approval, at):
        why = known(rollout, approval, at)
        return "" if why == "is for another plan" else why

    yield emergency, "unrelated", unrelated


@bug
def waves_without_their_gate():
    """An emergency has a wave open with the one before it, whatever gate it has."""
    known = emergency.following
    ungated = lambda strategy: strategy.model_copy(update={"gates": []})  # noqa: E731
    yield emergency, "following", lambda strategy, names, wave: known(ungated(strategy), names, wave)


@bug
def authors_approve():
    """Who wrote a change lets it pass."""
    yield approvals, "authors", lambda rollout: (frozenset(), 0)


@bug
def no_samples_needed():
    """Silence counts as good."""
    yield analyze, "verdict", _taken_for_good("Error", "Inconclusive")


@bug
def regressions_pass():
    """What hurts counts as good."""
    yield analyze, "verdict", _taken_for_good("Failed")


@bug
def held_revision_not_held():
    """What was rolled back begins again."""
    yield finish, "_engine_lost_once", lambda ctx, rollout: True


@bug
def two_rollouts_at_once():
    """A new revision does not ask what runs."""
    yield start, "active", lambda ctx, source: None
    yield controller, "active", lambda ctx, source: None
    yield claim, "_free", lambda ctx, source: None


@bug
def finalizers_not_set():
    """Who deletes a rollout deletes what stood there before."""
    known = snapshot.new

    def new(*args, **kwargs):
        made = known(*args, **kwargs)
        return {**made, "metadata": {**made["metadata"], "finalizers": []}}

    yield snapshot, "new", new


@bug
def superseded_without_way_back():
    """A newer revision begins on what the older one has half written."""
    known = by_action.STEPS["rollback"]

    def begin(ctx, state, action):
        if action.reason == "Superseded":
            context.change(ctx, state, action, phase="Superseded", reason=action.message)
        else:
            known(ctx, state, action)

    yield by_action.STEPS, "rollback", begin


@bug
def others_are_adopted():
    """An object of somebody else's is written, though the source says that it is refused."""
    yield planner, "conflict", lambda source, obj, namespace, where: Found()


@bug
def drift_overwritten():
    """What somebody changed since the plan was made is written over."""
    known = write.converge

    def converge(ctx, namespace, before, after, rollout, *, forward, frozen=None, late=False):
        given = {"frozen": frozen, "late": late}
        try:
            return known(ctx, namespace, before, after, rollout, forward=forward, **given)
        except write.Drift:
            return known(ctx, namespace, after, before, rollout, forward=False)

    yield apply, "converge", converge


@bug
def half_way_not_recognised():
    """A namespace that a killed worker left half written is taken for drift."""

    def place(live, states):
        ends = (n for n in (0, len(states) - 1) if write.equal(live, states[n]))
        return next(ends, None)

    yield write, "place", place


@bug
def first_wave_restored_first():
    """A place that changed in several waves goes back through them in the order in which it came."""
    known = restore.back
    yield restore, "back", lambda state: reversed(list(known(state)))


@bug
def labels_not_taken_off():
    """Neither the end of a rollout nor its way back takes the label from the pods, nor does anybody sweep it."""
    yield restore, "remove", lambda ctx, waves: None
    yield promote, "remove", lambda ctx, waves: None
    yield pod_labels, "sweep", lambda ctx: 0


@bug
def contracts_without_promotion():
    """What the old version needs is closed whether or not the new one was promoted."""
    yield opening, "waits_for", lambda rollout, seen: ""


@bug
def given_up_versions_not_seen():
    """Who follows a canary deployment does not see that its new version was given up."""
    yield next_step, "gave_up", lambda rollout, seen: ""


@bug
def narrowed_objects_forgotten():
    """The last wave leaves the objects that stood for some of the pods."""
    known = stages._steps

    def steps(item, before, after):
        for change in known(item, before, after):
            notes = ((change.before or {}).get("metadata") or {}).get("annotations") or {}
            if change.after is not None or NARROWED_FROM not in notes:
                yield change

    yield stages, "_steps", steps


@bug
def scopes_turned_around():
    """The pods that come first keep the old policies, and all others get the new ones."""
    known = stages.split
    yield stages, "split", lambda before, after, scope, beside=(): known(after, before, scope, beside)


@bug
def expanded_to_the_new_alone():
    """What the old policies allow is closed before all have the new ones."""
    yield stages, "both", lambda before, after, unchanged: list(after)


def _taken_for_good(*phases):
    known = analyze.verdict

    def verdict(*args, **kwargs):
        phase, reason = known(*args, **kwargs)
        return ("Successful", reason) if phase in phases else (phase, reason)

    return verdict


def _without(left_out):
    """The steps of a walk, but for some of its writes."""
    known = write_path.write_order.steps

    def steps(*args):
        found = known(*args)
        return replace(found, writes=tuple(w for w in found.writes if not left_out(w)))

    return steps


def _bridge(obj):
    return write.BRIDGE_LABEL in (obj["metadata"].get("labels") or {})
