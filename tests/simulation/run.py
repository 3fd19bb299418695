"""One run of the simulation: a seed's processes, faults and people, then a quiet time, then the oracle's word."""

import contextlib
import hashlib
import logging
import traceback
import uuid
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from unittest import mock

import structlog
from argo_walk import Argo
from simulation import settings as settings_of
from simulation.actors import Actors, attend, random_push
from simulation.api import Api, Faults, Journal, Port
from simulation.judging.oracle import Oracle
from simulation.process import Process
from simulation.scheduler import Condition, Killed, Lock, Pool, Scheduler
from simulation.settings import WHOLE
from simulation.workloads import DEPLOYMENTS, Workloads
from simulation.world import (
    OWN,
    SPACES,
    Git,
    Line,
    Metrics,
    Prober,
    Repository,
    Truth,
    policy,
    random_spec,
    source,
)

from orchestrator.cli.operate.guard_service import alone
from orchestrator.context import ROLLOUT, Context
from orchestrator.engine import controller, guard
from orchestrator.engine import worker as embedded
from orchestrator.engine.controller import Controller
from orchestrator.engine.delivery.dispatcher import Dispatcher
from orchestrator.engine.delivery.receivers import Sender
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments, Instruments
from orchestrator.engine.request_watch import KINDS
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, NetpolCanaryError, NotFound
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Event
from orchestrator.rollout.resources import resource
from workflows.shard_worker import Worker
from workflows.templates import templates
from workflows.wave_workflow import Waves

QUIET_SECONDS = 2400.0
CALM_SECONDS = 90.0  # without a change, after which a run has come to rest
PERSON_EVERY = 15.0
WATCHED = {kind.kind: kind for kind in KINDS}
IDLE = frozenset({"Lease", "Event", *(one.kind.kind for one in DEPLOYMENTS.values())})
TURNS_EVERY, FAILED_SECONDS = 45.0, 300.0  # of the canary deployment in the quiet time


@dataclass(frozen=True)
class Outcome:
    """What a seed came to; `log` is the hash of every change, in order."""

    seed: int
    events: int
    calls: int
    rollouts: int
    faults: dict
    violations: list
    log: str
    settings: object
    restored: tuple = ()  # simulated seconds from a regression's detection to everything restored, one a rollout

    @property
    def kills(self):
        return self.faults.get("kill", 0)


class Run:
    """Everything of one seed."""

    def __init__(self, seed, given, stops=False):
        self.seed, self.settings, self._stops = seed, given, stops
        self.scheduler = Scheduler(f"run {seed}")
        self.random = self.scheduler.random
        self.processes, self.quiet, self._number = [], False, 0
        spaces = {name: SPACES[name] for name in given.sources}
        self.repositories = {n: Repository(n, self.random, s) for n, s in spaces.items()}
        self._server = Process(self.scheduler, "server", "server")
        self._changed, self._watches = 0.0, []
        self.cluster = Journal(self._server.clock, self._saw)
        self.truth = Truth(self.scheduler, self.cluster)
        self.workloads = Workloads(self)
        self.oracle = Oracle(self.scheduler, self.repositories, self.truth, given.sizes)
        self.faults = Faults(self.random, given)
        self.api = Api(self.scheduler, self.cluster, self.faults, self.oracle)

    def _saw(self, actor, kind, namespace, name, before, after):
        if kind not in IDLE:
            self._changed = self.scheduler.time
        self.oracle.saw(actor, kind, namespace, name, before, after)
        if kind in WATCHED:
            self._noticed(WATCHED[kind], before, after)

    def _noticed(self, kind, before, after):
        """Watches tell of a change a moment later; one that is lost tells of nothing."""
        self._watches = [w for w in self._watches if w[0].alive]
        event = Event("DELETED", before) if after is None else Event("MODIFIED", after)
        for _, notice in self._watches:
            if not self.quiet and self.random.random() < self.settings.errors * 10:
                self.count("lost watch")
                continue
            self.scheduler.at(self.random.uniform(0.01, 0.5), partial(notice.see, kind, event))

    def sizes(self, name):
        """Those of a source."""
        return self.settings.sizes if name == "shop" else WHOLE

    def count(self, name):
        self.faults.counts[name] = self.faults.counts.get(name, 0) + 1

    # Processes

    def process(self, kind):
        self._number += 1
        found = Process(self.scheduler, kind, f"{kind}-{self._number}")
        if not self.quiet and self.random.random() < self.settings.kills:
            found.dies_at = int(self.random.expovariate(1 / 150)) + 1
            found.dies_how = self.random.choice(("before", "sent", "landed"))
        self.processes.append(found)
        return found

    def context(self, process, cluster=None):
        port = Port(self.api, process, cluster)
        errors = self.settings.errors
        return Context(
            port,
            process.clock,
            lambda found: Git(process, self.repositories[found.name], self.faults, errors),
            lambda plan, name: Metrics(process, self.truth, self.faults),
            lambda probing, owner, beat: Prober(process, self.truth, self.faults),
            None,
            each=embedded.threads,
        )

    def ended(self, process, again=None):
        """What becomes of a process whose body has ended; a crash is the product's fault."""

        def known(error):
            process.alive = False
            if error is not None and not isinstance(error, Killed | NetpolCanaryError):
                self.oracle.violated("10 the process goes on", f"{process.name}: {_where(error)}")
            if again is not None:
                self.scheduler.at(self.random.uniform(0.5, 20), again)

        return known

    def engine(self):
        process = self.process("engine")
        ctx = self.context(process)
        more = {"elsewhere": Waves()} if self.settings.argo else {}
        if self.settings.told:
            more["courier"] = self._courier(process, ctx)
        made = Controller(
            ctx, process.name, Instruments(), poll_seconds=10, stop=lambda: process.stopping, **more
        )
        made.ctx.capacity._lock = Lock(self.scheduler)
        made.notice.begin = lambda: self._watches.append((process, made.notice))
        process.start(made.serve, self.ended(process, self.engine))

    def _courier(self, process, ctx):
        line = Line(process, self.oracle.receivers, self.faults, self.settings.errors)
        post = Sender(ctx, lambda given: line, lambda given: line, "https://rollouts.example.com")

        def begin(work):
            process.start(work)
            return True

        made = Dispatcher(ctx, process.name, post, begin, stop=lambda: process.stopping)
        made._returned = Condition(self.scheduler)
        return made

    def guard(self):
        process = self.process("guard")
        ctx = alone(Port(self.api, process), process.clock, OWN)
        made = Guard(ctx, process.name, GuardInstruments(), stop=lambda: process.stopping)
        process.start(made.serve, self.ended(process, self.guard))

    def runner(self):
        """`run` in a terminal, now and then, beside whatever else works."""
        if self.quiet:
            return
        process = self.process("runner")
        ctx, name = self.context(process), self.random.choice(self.settings.sources)

        def body():
            found = start(ctx, find_source(ctx, name))
            if found.rollout:
                Embedded(ctx, process.name).drive(found.rollout)

        process.start(body, self.ended(process, self.runner))

    def pod(self, argv, env, name):
        """A pod of a wave's workflow."""
        process = self.process("pod")
        given = dict(zip(argv[3::2], argv[4::2], strict=True))
        code = []
        worker = Worker(
            self.context(process), given["--rollout"], int(given["--wave"]), int(given["--shard"])
        )

        def body():
            try:
                code.append(worker.run(argv[2]))
            except (BadInput, NotFound):
                code.append(2)

        def over(error):
            self.ended(process)(error)
            if not code:
                code.append(-9)

        process.start(body, over)

        def poll():
            return code[0] if code else None

        return SimpleNamespace(poll=poll, kill=lambda: self.scheduler.at(0, process.kill))

    # The whole

    def play(self):
        self._set_up()
        given = self.settings
        for _ in range(given.engines):
            self.engine()
        if given.guard:
            self.guard()
        if given.runner:
            self.scheduler.at(self.random.uniform(1, 60), self.runner)
        if given.argo:
            self._argo()
        Actors(self).start()
        self.scheduler.run(given.chaos_seconds, self._broken)
        self._calm()
        begun = self.scheduler.time
        self.scheduler.run(begun + QUIET_SECONDS, lambda: self._broken() or self._rests())
        if not self._broken():
            self.oracle.finish()
        for process in self.processes:
            process.kill()
        return self._outcome()

    def _set_up(self):
        self.cluster.actor = "start-0"
        self.cluster.create(_namespace(OWN, "system"))
        for name in self.settings.sources:
            for space in SPACES[name]:
                self.cluster.create(_namespace(space, name))
                for i in range(3):
                    if self.random.random() < 0.3:
                        spec = random_spec(self.random)
                        self.cluster.create(policy(f"p{i}", spec, space, name))
            if self.sizes(name).pods_every:
                self.workloads.begin(SPACES[name])
            random_push(self.repositories[name], self.random, 0.0, first=True, sizes=self.sizes(name))
            self.cluster.create(source(name, self.settings, self.repositories[name]))
        if self.settings.argo:
            for template in templates("netpol-canary:0.1.0", OWN):
                self.cluster.create(template)

    def _argo(self):
        argo = Argo(self.cluster, OWN, self.pod, self._server.clock.now)

        def step():
            self.cluster.actor = "argo-0"
            argo.step()
            self.scheduler.at(1.0, step)

        step()

    def _calm(self):
        """Faults stop; whoever stood still goes on; a person sees to what waits for one."""
        self.quiet, self.faults.calm, self.truth.silent = True, True, ""
        self._changed = self.scheduler.time
        for process in self.processes:
            process.dies_at, process.frozen_until = 0, 0.0
        tries = {}
        actors = Actors(self)

        def look():
            actors.as_person(lambda ctx: attend(ctx, tries))
            self.scheduler.at(PERSON_EVERY, look)

        self.scheduler.at(PERSON_EVERY, look)
        if self.settings.sizes.follow:
            self._promoted_in_the_end()

    def _promoted_in_the_end(self):
        """What a source follows is given up once, for long, and gets one new version after the other from then on."""

        def turn():
            self.workloads.turn()
            self.scheduler.at(TURNS_EVERY, turn)

        self.workloads.fail()
        self.scheduler.at(FAILED_SECONDS, turn)

    def _broken(self):
        return self._stops and bool(self.oracle.violations)

    def _rests(self):
        return self.scheduler.time - self._changed > CALM_SECONDS and self.oracle.all_ended()

    def _outcome(self):
        oracle = self.oracle
        log = hashlib.sha256(repr(oracle.journal).encode()).hexdigest()
        events, calls = self.scheduler.events, self.api.calls
        counts = dict(sorted(self.faults.counts.items()))
        ends = (o.get("status") or {} for o in self.cluster.list(ROLLOUT, OWN))
        restored = tuple(s["restoredSeconds"] for s in ends if s.get("restoredSeconds") is not None)
        return Outcome(
            self.seed,
            events,
            calls,
            len(oracle.ended),
            counts,
            oracle.violations,
            log,
            self.settings,
            restored,
        )


def _namespace(name, team):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": team}}}


def _where(error):
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error} ({place})"


def simulate(seed, bug=None, stops=False, **fixed):
    """Play a seed; `bug` is a context manager that takes a safeguard away. `fixed` overrides its settings.

    With `stops` it ends with the first broken promise.
    """
    run = Run(seed, settings_of.drawn(seed, **fixed), stops)
    with installed(run), bug() if bug is not None else contextlib.nullcontext():
        return run.play()


@contextlib.contextmanager
def installed(run):
    """The run's own randomness, threads and copies stand where the product would take the machine's."""
    draw, scheduler = run.random, run.scheduler

    def made():
        return uuid.UUID(int=draw.getrandbits(128), version=4)

    def pool(max_workers=None, thread_name_prefix=""):
        return Pool(scheduler, max_workers)

    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        known = structlog.get_config()
        structlog.configure(wrapper_class=quiet)
        stack.callback(structlog.configure, **known)
        stack.enter_context(mock.patch.object(uuid, "uuid4", made))
        stack.enter_context(mock.patch.object(resource, "MODELS", run.cluster.shared.models()))
        for module in (controller, embedded, guard):
            stack.enter_context(mock.patch.object(module, "ThreadPoolExecutor", pool))
        yield
