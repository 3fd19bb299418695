"""Keeps going: polls the sources, starts, queues and resumes rollouts, lets go of old ones."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from orchestrator.context import ROLLOUT, SOURCE, Context, read
from orchestrator.elapsed import Reading, reading, since
from orchestrator.engine.abreast import MOST_LOOKS, Abreast
from orchestrator.engine.aloud import Aloud
from orchestrator.engine.boundary import boundary, unforeseen
from orchestrator.engine.capacity import Limits
from orchestrator.engine.delivery.dispatcher import Dispatcher
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.lease import Lease
from orchestrator.engine.lease_watch import LeaseWatch
from orchestrator.engine.poll_rounds import MOST_SECONDS, Polling
from orchestrator.engine.request_watch import Notice
from orchestrator.engine.upkeep.bridge_sweep import Sweeper
from orchestrator.engine.upkeep.drift_watch import DriftWatch
from orchestrator.engine.upkeep.orphan_removal import OrphanWatch
from orchestrator.engine.worker import Embedded, nowhere
from orchestrator.errors import (
    BadInput,
    Conflict,
    NetpolCanaryError,
    NotFound,
    PortError,
    Refused,
    RetryLater,
)
from orchestrator.harmless import one_line
from orchestrator.operations.start import queue, start
from orchestrator.planning.newcomers import left_out, newcomers, refused
from orchestrator.planning.planner import selected
from orchestrator.rollout import polling
from orchestrator.rollout.next import REQUEST, RESTING, Action, State, next_action
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import detailed, of_type, put, whole
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.rollout.state import MOST_IGNORED, open_request, unreadable
from orchestrator.sources import prune
from orchestrator.sources.lookup import active
from orchestrator.sources.selection import Listed, selection
from orchestrator.standstill import Deadlines

MOST_ROLLOUTS = 16
MOST_NAMESPACES = 500
SPARE_WORKERS = 16  # for what asks for no capacity: above all the way back
LEASE_SECONDS = 15.0
LEASE = "controller"
CLOSING_SECONDS = 5.0
SHORT = 0.5  # seconds between two questions for news


@dataclass
class Controller:
    """One of several replicas may work at a time; rollouts have Leases of their own besides.

    At most `most_rollouts` rollouts with `most_namespaces` namespaces are in an open wave at once. `elsewhere` takes the
    work of open waves that is not done here.
    """

    ctx: Context
    holder: str
    instruments: Instruments
    poll_seconds: float = 30.0
    stop: Callable[[], bool] = lambda: False
    lease_seconds: float = LEASE_SECONDS
    most_seconds: float = MOST_SECONDS
    courier: Dispatcher | None = None
    most_rollouts: int = MOST_ROLLOUTS
    most_namespaces: int = MOST_NAMESPACES
    elsewhere: Callable[[Context, State, Action], bool] = nowhere
    notice: Notice = field(init=False, repr=False)
    _work: dict[str, Future[State]] = field(default_factory=dict, repr=False)
    _polling: Polling = field(init=False, repr=False)
    _aloud: Aloud = field(init=False, repr=False)
    _idle: dict[str, object] = field(default_factory=dict, repr=False)
    _wrong: dict[str, object] = field(default_factory=dict, repr=False)
    _drift: DriftWatch = field(init=False, repr=False)
    _listed: Listed = field(init=False, repr=False)
    _orphans: OrphanWatch = field(init=False, repr=False)
    _sweeper: Sweeper = field(init=False, repr=False)
    _lookout: LeaseWatch = field(init=False, repr=False)
    _deadlines: Deadlines = field(init=False, repr=False)
    _ticked: Reading | None = field(default=None, repr=False)
    _abreast: Abreast = field(default_factory=Abreast, repr=False)

    def __post_init__(self) -> None:
        ctx = self.ctx
        capacity = Limits(ctx.cluster, ctx.namespace, self.most_rollouts, self.most_namespaces)
        self.ctx = replace(ctx, capacity=capacity)
        self._drift = DriftWatch(self.ctx)
        self._aloud = Aloud(ctx.notifier)
        self.notice = Notice(ctx.cluster, ctx.namespace, self.stop)
        self._listed = Listed(self.ctx)
        self._orphans = OrphanWatch(self.ctx, self._listed)
        self._sweeper = Sweeper(self.ctx)
        self._lookout = LeaseWatch(ctx, self.holder, self.lease_seconds)
        self._deadlines = Deadlines(ctx.clock)
        self._polling = Polling(self.poll_seconds, self.most_seconds)

    def serve(self) -> None:
        """Until `stop`; every rollout in work is left between two calls."""
        lease = Lease(self.ctx, LEASE, self.holder, self.lease_seconds)
        workers = self.most_rollouts + SPARE_WORKERS
        with ThreadPoolExecutor(MOST_LOOKS, thread_name_prefix="sources") as beside:
            with ThreadPoolExecutor(workers, thread_name_prefix="rollout") as pool:
                self.notice.begin()
                while not self.stop():
                    leads = False
                    try:
                        if leads := lease.acquire():
                            self.tick(pool, beside)
                            self.instruments.reconciles.labels("ok").inc()
                        else:
                            self.stand_by()
                        self._ticked = reading(self.ctx.clock)
                    except NetpolCanaryError as error:
                        self._lookout.forget()
                        self.instruments.reconciles.labels("error").inc()
                        structlog.get_logger().warning("this round came to nothing", error=str(error))
                    except Exception as error:
                        self._lookout.forget()
                        self.instruments.reconciles.labels("error").inc()
                        unforeseen(error, "round", self.instruments.faulted)
                    self._wait(min(self.poll_seconds, self.lease_seconds / 5), leads)
                self.notice.close()
            self._leave(lease)

    def _wait(self, seconds: float, leads: bool) -> None:
        """Until the next round; who leads makes it sooner where people asked for something."""
        while seconds > 0 and not self.stop():
            self.ctx.clock.sleep(min(seconds, SHORT))
            seconds -= SHORT
            if self.notice.taken() and leads:
                return

    def _leave(self, lease: Lease) -> None:
        """Let another replica go on at once, though a Git host may still be waited for here."""
        if self.courier is not None:
            self.courier.close(CLOSING_SECONDS)
        with suppress(PortError):
            lease.release()

    def stand_by(self) -> None:
        """Look at the Leases of what another replica works on: lost with it, they are taken over before a guard acts."""
        self.instruments.standing(())  # whoever leads counts them
        self._lookout.look()

    def ready(self) -> bool:
        """Whether a round ended lately."""
        seconds = since(self.ctx.clock, self._ticked)
        return seconds is not None and seconds < 4 * self.poll_seconds + 60

    def tick(self, pool: ThreadPoolExecutor, beside: ThreadPoolExecutor | None = None) -> None:
        """One round over all rollouts and sources; the sources are looked at `beside`, several at a time."""
        rollouts = prune.everything(self.ctx)
        self.instruments.standing(rollouts)
        for rollout in rollouts:
            with self._within("rollout", rollout=rollout.name):
                self._aloud.say(rollout.manifest, "RequestIgnored", unreadable(rollout))
                if _unfinished(rollout):
                    self._drive(pool, rollout.name)
        with self._within("bridges"):
            self._sweeper.look()
        try:
            self._look(rollouts, beside)
        finally:
            if self.courier is not None:
                with self._within("delivery"):
                    self.courier.look(rollouts)

    def _look(self, rollouts: Sequence[Rollout], beside: ThreadPoolExecutor | None = None) -> None:
        """All sources: a Git host may take its time, and neither other sources nor what is under way wait for it.

        Raises what the API server did to a look before: it is out of reach for everything else as well.
        """
        went_wrong = self._abreast.ended()
        self._listed.forget()
        sources = list(self._sources())
        self._polling.keep(sources)
        for source in sources:
            if self.stop():
                return
            failing = self._polling.failing(source)
            if not self._abreast.free(source.uid, failing):
                continue
            if not self._polling.begins(source, self.ctx.clock.now()):
                continue
            look = partial(self._one, source, rollouts)
            if beside is None:
                look()
            else:
                self._abreast.begin(beside, source.uid, failing, look)
        with self._within("record"):
            prune.orphans(self.ctx, rollouts)
        if went_wrong:
            raise went_wrong[0]

    def _one(self, source: Source, rollouts: Sequence[Rollout]) -> None:
        """May have waited for a thread until after the end: then nothing is begun any more."""
        if not self.stop():
            with self._within("source", source=source.name):
                self._source(source, rollouts)

    @contextmanager
    def _within(self, part: str, **named: str) -> Iterator[None]:
        """The last resort round one source, one rollout: whatever is raised stops nothing else."""
        with structlog.contextvars.bound_contextvars(**named), boundary(part, self.instruments.faulted):
            yield

    def _sources(self) -> Iterator[Source]:
        for obj in self.ctx.cluster.list(SOURCE, self.ctx.namespace):
            try:
                yield load(obj)
            except BadInput as error:  # of another version of the resource
                self._aloud.say(obj, "Unreadable", f"the source cannot be read: {error}")

    def _source(self, source: Source, rollouts: Sequence[Rollout]) -> None:
        """What is wrong with one source stops no other; it stands in the source's Ready condition."""
        failed = False
        self._aloud.say(source.manifest, "RequestIgnored", polling.unreadable(source))
        try:
            prune.history(self.ctx, source, rollouts)
            message = self._poll(source, rollouts)
            self._ready(source.name, "True", "Polled", message)
        except Refused as refused:
            self._ready(source.name, "True", "Waiting", str(refused))
        except (Conflict, RetryLater) as later:  # a request may be written at the same time
            structlog.get_logger().info("again later", reason=str(later))
            self._polling.again(source)
            return
        except (BadInput, PortError) as error:
            structlog.get_logger().warning("the source cannot be rolled out", error=str(error))
            failed = isinstance(error, PortError)
            self._ready(source.name, "False", "Unavailable" if failed else "BadInput", str(error))
        except Exception as error:
            failed = True  # looked at less often, for it may take long to fail
            text = unforeseen(error, "source", self.instruments.faulted)
            self._ready(source.name, "False", "InternalError", text)
        self._polling.ended(source, failed)

    def _poll(self, source: Source, rollouts: Sequence[Rollout]) -> str:
        self._orphans.look(source, rollouts)
        head = self.ctx.repository(source).resolve()
        running = active(self.ctx, source)
        if running is not None:
            return self._behind(source, running, head)
        settled = head in (source.status.current_revision, source.status.blocked_revision)
        known = _known(source, head)
        if settled or source.spec.suspend or self._idle.get(source.uid) == known:
            return self._newcomers(source, rollouts, head)
        try:
            started = start(self.ctx, source, head)
        except (BadInput, Refused):  # which leaves no new namespace without the last good revision
            self._wrong[source.uid] = known
            self._newcomers(source, rollouts, head)
            raise
        self._wrong.pop(source.uid, None)
        if not started.rollout:
            self._idle[source.uid] = known
            return f"{head[:10]} changes nothing"
        structlog.get_logger().info("a rollout begins", rollout=started.rollout, revision=head)
        return f"{started.rollout} is under way"

    def _behind(self, source: Source, running: Rollout, head: str) -> str:
        if stale := self._orphans.stale(source, running):
            if running.status.phase != "RollingBack":
                self._supersede(running, f"the source: {stale}")
            return f"{running.name} is under way"
        if not self._waits(source, running, head) or source.spec.suspend:
            return f"{running.name} is under way"
        immediate = source.spec.strategy.supersede == "immediate" or _unbegun(running)
        if immediate and running.status.phase != "RollingBack":
            self._supersede(running, head[:10])
        queue(self.ctx, source, head)
        return f"{head[:10]} is queued behind {running.name}"

    def _waits(self, source: Source, running: Rollout, head: str) -> bool:
        """Whether the head would begin once the running rollout has ended."""
        if head in (running.spec.revision, source.status.blocked_revision):
            return False
        # Of what nothing is to be changed for, or cannot be, a repair or new namespaces are no obstacle.
        known = _known(source, head)
        rests = known in (self._idle.get(source.uid), self._wrong.get(source.uid))
        return running.spec.cause == "revision" or not rests

    def _supersede(self, running: Rollout, by: str) -> None:
        """Ask the running rollout to roll everything back; what is newer starts when it has."""
        meta = running.manifest["metadata"]
        if (meta.get("annotations") or {}).get(REQUEST, "").startswith("supersede/"):
            return
        request = f"supersede/{uuid.uuid4().hex[:12]}/{by[:200]}"
        annotations = {**(meta.get("annotations") or {}), REQUEST: request}
        self.ctx.cluster.replace({**running.manifest, "metadata": {**meta, "annotations": annotations}})

    def _newcomers(self, source: Source, rollouts: Sequence[Rollout], head: str) -> str:
        fresh = frozenset() if source.spec.suspend else newcomers(self.ctx, source, rollouts, self._listed)
        new = f"{source.uid}/new"
        if fresh:  # one may have been rolled back since the others were read
            label = f"{SOURCE_LABEL}={source.name}"
            fresh -= refused(
                source, [load(o) for o in self.ctx.cluster.list(ROLLOUT, self.ctx.namespace, label)]
            )
        verified = source.status.current_revision
        known = _known(source, verified), self._standing(source, fresh)
        if fresh and self._idle.get(new) != known:
            started = start(self.ctx, source, verified, only=fresh, cause="namespaces")
            if started.rollout:
                return f"{started.rollout} brings new namespaces to the current revision"
            self._idle[new] = known
        if begun := self._drift.look(source, rollouts):
            return begun
        # After what may be done for the namespaces that are there, and before any is emptied.
        selection(self.ctx, source, self._listed).check(source)
        if begun := self._orphans.remove(source, rollouts):
            return begun
        if source.spec.suspend:
            return "suspended"
        missing = left_out(self.ctx, source, rollouts)
        told = self._in_force(source, head)
        return f"{told[:500]}, {missing}" if missing else told

    def _standing(self, source: Source, names: frozenset[str]) -> frozenset[str]:
        """The namespaces as they stand: another of the same name is new again."""
        found = selected(self.ctx, source) if names else {}
        return frozenset(str(found[n]["metadata"]["uid"]) for n in names if n in found)

    @staticmethod
    def _in_force(source: Source, head: str) -> str:
        if head == source.status.blocked_revision:
            return f"{head[:10]} is blocked: {source.status.blocked_reason}"
        if head != source.status.current_revision:
            return f"{head[:10]} changes nothing"
        return f"{head[:10]} is in force"

    def _ready(self, name: str, value: m.ConditionStatus, reason: str, message: str) -> None:
        """Write the Ready condition where it says something new."""
        with suppress(Conflict, NotFound):
            source: Source = load(self.ctx.cluster.get(SOURCE, name, self.ctx.namespace))
            known = source.status.conditions
            text = one_line("; ".join(filter(None, (polling.unreadable(source), message))))[:1000]
            old = of_type(known, "Ready")
            said = whole(known, source.status.details, "Ready")
            if old is not None and (old.status, old.reason, said) == (value, reason, text):
                return
            details = detailed(source.status.details, "Ready", text)
            generation = int(source.manifest["metadata"].get("generation", 0))
            found = put(known, "Ready", value, reason, text, self.ctx.clock.now())
            update = {"conditions": found, "details": details, "observed_generation": generation}
            self.ctx.cluster.replace_status(source.with_status(source.status.model_copy(update=update)))

    def _drive(self, pool: ThreadPoolExecutor, name: str) -> None:
        """Hand a rollout that has something to do to a thread of its own."""
        future = self._work.get(name)
        if future is not None and not future.done():
            return
        if future is not None and future.exception() is not None:
            structlog.get_logger().warning("a worker stopped", rollout=name, error=str(future.exception()))
        self._work.pop(name, None)
        try:
            state = self._deadlines.watched(read(self.ctx, name))
        except NotFound:
            return
        except BadInput as error:  # of another version of a resource: the other rollouts go on
            structlog.get_logger().warning("the rollout cannot be read", rollout=name, error=str(error))
            return
        self._aloud.say(state.rollout.manifest, "ApprovalIgnored", "; ".join(state.unread[:MOST_IGNORED]))
        if next_action(state, self.ctx.clock.now()).verb in RESTING:
            return
        worker = Embedded(
            self.ctx,
            self.holder,
            lease_seconds=self.lease_seconds,
            stop=self.stop,
            watch=self._saw,
            timed=self.instruments.stepped,
            lease=self._lookout.lease(name),
            elsewhere=self.elsewhere,
            faulted=self.instruments.faulted,
            deadlines=self._deadlines,
        )
        self._work[name] = pool.submit(worker.drive, name)

    def _saw(self, state: State, action: Action) -> None:
        self.instruments.seen(state)


def _known(source: Source, head: str) -> object:
    """Under which it is remembered that a head changes nothing."""
    return source.manifest["metadata"].get("generation"), head


def _unbegun(rollout: Rollout) -> bool:
    """Waits for a window or for room and has written nothing: the newest revision waits in its place.

    So does one that removes orphans and waits for people: nobody's relabelling holds up what others merge.
    """
    waits = m.UNASKED if rollout.spec.cause == "orphans" else m.BY_ITSELF
    return rollout.status.paused_for in waits and rollout.status.waves_started == 0


def _unfinished(rollout: Rollout) -> bool:
    asked = open_request(rollout)
    back = asked is not None and asked.verb == "rollback" and rollout.status.phase in ("Succeeded", "Failed")
    return not prune.closed(rollout) or back
