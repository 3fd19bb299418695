"""The demo's shop with a past: three changes of the last days, and one that waits for somebody."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from orchestrator.adapters.clock import SystemClock
from orchestrator.cli.demo import shop_demo
from orchestrator.cli.demo.demo_changes import AUTHOR, waiting
from orchestrator.context import Context
from orchestrator.engine.worker import Embedded
from orchestrator.operations.approve import Decision, decide
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox import shop_source
from orchestrator.sandbox.pace import PacedClock
from orchestrator.sandbox.people import People
from orchestrator.sandbox.world import World, build
from orchestrator.server.parts import Person

ENGINEERS = "release-engineers"
PEOPLE = (
    Person("ann", (ENGINEERS, "shop-developers"), "writes policies, and is a release engineer, too"),
    Person("ben", (ENGINEERS,), "a release engineer: approves what others wrote"),
    Person("carol", ("on-call",), "on call: reads everything, and changes nothing"),
)
DAYS = 5
SCENARIO_DAYS = (4.2, 2.6, 0.9)  # before now, of the first scenarios


def gated() -> m.Strategy:
    """The demo's strategy, with somebody's approval after the canary."""
    gate = m.Gate(wave=1, name="after the canary", approvals=1, groups=[ENGINEERS])
    return shop_source.strategy().model_copy(update={"gates": [gate]})


def world(factor: float) -> tuple[World, PacedClock]:
    """A shop whose clock begins some days ago."""
    clock = PacedClock(SystemClock().now() - timedelta(days=DAYS), factor)
    return build(clock=clock), clock


def played(made: World, clock: PacedClock, root: Path, cache: Path) -> Context:
    """Play the past; the clock stands at the wall's time afterwards."""
    today = SystemClock().now()
    identities = [m.Identity(email=AUTHOR[1], user=AUTHOR[0])]
    ctx = shop_demo.prepare(made, root, cache, gated(), identities)
    for scenario, days in zip(shop_demo.scenarios(), SCENARIO_DAYS, strict=False):
        clock.jump(today - timedelta(days=days))
        clock.sleep(120)
        revision = shop_demo.commit(root, scenario.files, scenario.subject, AUTHOR, clock.now())
        state = _driven(ctx, revision)
        if state.rollout.status.paused_for == "approval":
            clock.sleep(240)
            person = PEOPLE[1]
            theirs = People(made.cluster).impersonating(person.user, person.groups)
            decide(replace(ctx, cluster=theirs), state, Decision("approve", "the canary looks as it should"))
            state = _driven(ctx, revision)
        if state.rollout.status.phase == "RolledBack":
            shop_demo.revert(root, AUTHOR)
    clock.jump(today - timedelta(minutes=5))
    clock.sleep(120)
    change = waiting()
    _driven(ctx, shop_demo.commit(root, change.files, change.subject, AUTHOR, clock.now()))
    return ctx


def _driven(ctx: Context, revision: str) -> State:
    started = start(ctx, find_source(ctx, shop_source.SOURCE_NAME), revision)
    return Embedded(ctx, "demo").drive(started.rollout)
