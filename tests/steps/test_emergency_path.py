"""An emergency skips what the source allows, once it is proven who asked; the analysis and the way back stay as they are."""

from dataclasses import replace

import pytest
from faulty_port import FaultyPort, kills
from faulty_port import Killed as Dead
from stage import OWN, Rounds, Stage, check, work

from orchestrator.cli.live.live_view import rows
from orchestrator.cli.rollouts.describe import offers
from orchestrator.context import APPROVAL, FREEZE, ROLLOUT, read
from orchestrator.engine.capacity import Limits
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, Forbidden, Refused
from orchestrator.operations.approve import Decision, decide
from orchestrator.operations.declare_emergency import declare
from orchestrator.operations.requests import ask
from orchestrator.record.build import view
from orchestrator.record.report.tables import facts
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.rollout.timing import settled_at
from orchestrator.sandbox.admission import refusal

CLOSED = m.Window(schedule="0 0 29 2 *", duration_seconds=60)
EVERYTHING = m.Emergency(skip=["windows", "freezes", "waits", "waves"])
NAME = "shop-cccccccccc"


def shut(emergency=EVERYTHING, good=True, **strategy):
    """Three waves behind a window that never opens; ann wrote the change."""
    given = {"windows": [CLOSED], "steps": [m.WaveStep(count=1)], "settle_seconds": 600, **strategy}
    return Stage(good, emergency=emergency, **given)


def waiting(**more):
    stage = shut(**more)
    assert work(stage.context(), "first").rollout.status.paused_for == "window"
    return stage


def says(stage, user="mia", *groups, why="the shop is down", name=NAME):
    """Declared by somebody else, over the API."""
    ctx = stage.context(stage.cluster.acting_as(user, "on-call", *groups))
    return declare(ctx, read(ctx, name), why)


def go(stage, cluster=None, **ports):
    return Embedded(stage.context(cluster, **ports), "next").drive(NAME)


def reasons(state):
    return [t.reason for t in state.rollout.status.transitions]


def seconds(state, first, last):
    times = {t.reason: t.time for t in state.rollout.status.transitions}
    return (times[last] - times[first]).total_seconds()


def test_it_skips_windows_waits_and_waves_and_says_so_before_anything_follows():
    stage = waiting()
    before = stage.standing()
    done = says(stage)
    assert done.user == "mia" and any("waves 1 and 2" in text for text in done.skips)
    state = go(stage)
    check(stage, before, state)
    status = state.rollout.status
    assert (status.joined, sorted(state.analyses)) == ([2], [0, 1])
    assert all(a.status.phase == "Successful" and a.status.checks == 2 for a in state.analyses.values())
    assert reasons(state)[2] == "Emergency" and reasons(state).count("Emergency") == 1
    assert reasons(state).count("WaveStarted") == 2 and seconds(state, "Emergency", "Succeeded") < 60
    told = {c.type: c for c in status.conditions}["EmergencyDeclared"]
    assert (told.status, told.reason) == ("True", "Emergency") and "mia" in told.message
    opened = next(t for t in status.transitions if t.reason == "WaveStarted")
    assert "skipped by an emergency: outside the window" in opened.message


def test_whoever_looks_at_it_sees_who_declared_it_and_why():
    stage = waiting()
    now = stage.clock.now()
    waits = read(stage.context(), NAME)
    assert any("waves 1 and 2" in text for text in offers(waits, (), now))
    says(stage)
    state = go(stage)
    assert offers(state, (), now) == []
    found = view(state, now)
    assert "declared by mia, skips windows, freezes, waits, waves" in dict(facts(found))["EMERGENCY"]
    assert any("EMERGENCY declared by mia" in row.text.plain for row in rows(state, now, 120))
    assert any("together with wave 1" in note for note in found.waves[2].notes)
    assert [len(wave.cells) for wave in found.waves] == [1, 1, 1]
    assert {wave.state for wave in found.waves} == {"good"}
    assert any(moment.text.startswith("emergency asked for by mia") for moment in found.moments)


@pytest.mark.parametrize(("most", "joined"), [(1, []), (2, [2])])
def test_where_all_waves_are_more_than_the_capacity_they_open_one_by_one(most, joined):
    stage = waiting()
    says(stage)
    limits = Limits(stage.cluster, OWN, most_rollouts=4, most_namespaces=most)
    state = Embedded(replace(stage.context(), capacity=limits), "next").drive(NAME)
    assert (state.rollout.status.phase, state.rollout.status.joined) == ("Succeeded", joined)


def test_the_canary_is_judged_alone_and_a_bad_change_comes_back():
    stage = waiting(good=False)
    before = stage.standing()
    says(stage)
    state = go(stage)
    check(stage, before, state)
    assert sorted(state.analyses) == [0] and state.rollout.status.joined == []


def test_waves_that_opened_together_go_back_together():
    stage = waiting()
    before = stage.standing()
    says(stage)
    seen = []

    def turn(state, action):
        if action.verb == "wait" and state.rollout.status.wave == 1:
            seen.append(state.rollout.status.joined)
            stage.prober.turn_bad()

    state = Embedded(stage.context(), "next", watch=turn).drive(NAME)
    assert seen[0] == [2]
    check(stage, before, state)
    assert {n.status.phase for n in state.namespaces.values()} == {"Restored"}


@pytest.mark.parametrize("allowed", [["freezes"], ["waits", "waves"], []])
def test_what_the_source_does_not_allow_is_not_skipped(allowed):
    stage = shut(m.Emergency(skip=allowed))
    work(stage.context(), "first")
    if allowed:
        says(stage)
    else:
        with pytest.raises(Refused, match="allows nothing"):
            says(stage)
    assert go(stage).rollout.status.paused_for == "window"


@pytest.mark.parametrize(("sources", "phase"), [(["shop"], "Succeeded"), ([], "Paused")])
def test_a_freeze_of_the_source_is_skipped_and_one_of_everything_holds(sources, phase):
    stage = waiting()
    spec = m.RolloutFreezeSpec(reason="an audit", sources=sources)
    stage.cluster.create(new("RolloutFreeze", "audit", OWN, spec))
    says(stage)
    state = go(stage)
    assert state.rollout.status.phase == phase
    if phase == "Paused":
        stage.remove(FREEZE, "audit")
        assert go(stage).rollout.status.phase == "Succeeded"


def test_a_gate_a_pause_and_an_abort_hold():
    gated = waiting(gates=[m.Gate(wave=2)])
    gated.change(identities=[{"email": "ann@example.com", "user": "ann"}])
    says(gated)
    state = go(gated)
    assert (state.rollout.status.paused_for, state.rollout.status.wave) == ("approval", 2)
    assert state.rollout.status.joined == []
    mia = gated.context(gated.cluster.acting_as("bob"))
    decide(mia, read(mia, NAME), Decision(comment="fine"))
    ask(mia, state.rollout, "pause")
    says(gated)
    assert go(gated).rollout.status.paused_for == "user"
    ask(mia, state.rollout, "abort")
    assert go(gated).rollout.status.phase == "RolledBack"


def test_who_may_not_is_refused_and_who_gives_no_reason_too():
    stage = waiting(emergency=EVERYTHING.model_copy(update={"groups": ["hotfixers"]}))
    with pytest.raises(BadInput, match="takes a reason"):
        says(stage, why=" ")
    with pytest.raises(Refused, match="is not in hotfixers"):
        says(stage)
    nobody = stage.context(stage.cluster.acting_as("mia", "hotfixers"))
    with pytest.raises(Forbidden, match="verb emergency"):
        declare(nobody, read(nobody, NAME), "the shop is down")
    assert stage.cluster.list(APPROVAL) == []
    says(stage, "mia", "hotfixers")
    assert go(stage).rollout.status.phase == "Succeeded"


def test_two_people_declare_one_and_the_second_is_told_who_was_first():
    stage = waiting()
    says(stage)
    stage.clock.sleep(2)
    says(stage, "bob")  # neither is recorded yet: both stand, the first counts
    stopped = []
    Embedded(
        stage.context(), "next", stop=lambda: len(stopped) > 12, watch=lambda *seen: stopped.append(seen)
    ).drive(NAME)
    again = says(stage, "kim")
    assert again.again and again.user == "mia"
    state = go(stage)
    assert reasons(state).count("Emergency") == 1 and state.rollout.status.emergency.user == "mia"


def forged(stage, **spec):
    """As somebody would create it who keeps to what the API server asks for."""
    rollout = load(stage.cluster.get(ROLLOUT, NAME, OWN))
    given = {
        "rollout": NAME,
        "wave": 0,
        "plan_digest": rollout.spec.plan_digest,
        "user": "mia",
        "comment": "again",
    }
    made = m.RolloutApprovalSpec(**{**given, "decision": "emergency", **spec})
    return stage.cluster.acting_as("mia", "on-call").create(new("RolloutApproval", "again", OWN, made))


@pytest.mark.parametrize("spec", [{"plan_digest": "sha256:old"}, {"rollout": "shop-dddddddddd"}, {"wave": 1}])
def test_one_for_another_plan_rollout_or_later_wave_is_not_inherited(spec):
    stage = waiting()
    forged(stage, **spec)
    state = go(stage)
    assert state.rollout.status.paused_for == "window" and state.rollout.status.emergency is None


def test_a_revision_that_is_merged_meanwhile_needs_one_of_its_own():
    stage = shut()
    rounds = Rounds(stage)
    rounds.go()
    says(stage)
    stage.repository.push(
        "d",
        stage.repository.files("c" * 40)
        | {
            "more.yaml": stage.repository.files("c" * 40)["all.yaml"]
            .replace(b'"deny"', b'"more"')
            .replace(b'"allow"', b'"other"')
        },
    )
    assert rounds.go()[NAME] == "Succeeded"
    found = load(stage.cluster.get(ROLLOUT, "shop-dddddddddd", OWN)).status
    assert (found.paused_for, found.emergency) == ("window", None)


def test_it_runs_out_and_is_declared_anew():
    stage = waiting(emergency=EVERYTHING.model_copy(update={"expires_after_seconds": 60}))
    says(stage)
    stage.clock.sleep(61)
    assert go(stage).rollout.status.paused_for == "window"
    says(stage, "bob")
    state = go(stage)
    assert "Emergency" in reasons(state) and state.rollout.status.emergency.user == "bob"


def test_without_the_policy_nobody_is_believed_and_a_wave_that_is_open_goes_on_being_judged():
    stage = waiting()
    stage.cluster.vouches = False
    says(stage)
    state = go(stage)
    assert (state.rollout.status.paused_for, state.rollout.status.emergency) == ("approval", None)
    assert reasons(state).count("ApprovalsUnproven") == 1
    opened = shut(windows=[])
    opened.cluster.vouches = False
    stopped = []
    work(opened.context(), "first", stop=lambda: "wait" in stopped, watch=lambda s, a: stopped.append(a.verb))
    says(opened)
    state = go(opened)
    assert state.analyses[0].status.phase == "Successful" and state.rollout.status.emergency is None
    assert (state.rollout.status.wave, state.rollout.status.paused_for) == (1, "approval")


def test_an_older_policy_that_asks_for_no_right_is_found(monkeypatch):
    stage = waiting()

    def older(obj, *asked):
        spec = obj["spec"]
        known = {**spec, "decision": "approve"} if spec.get("decision") == "emergency" else spec
        return refusal({**obj, "spec": known}, *asked)

    monkeypatch.setattr("orchestrator.sandbox.cluster.refusal", older)
    says(stage)
    state = go(stage)
    assert (state.rollout.status.paused_for, state.rollout.status.emergency) == ("approval", None)
    assert "an emergency without a reason" in state.rollout.status.said


def test_declared_while_the_canary_settles_it_cuts_that_short_and_no_look():
    stage = shut(windows=[])
    stopped = []
    work(stage.context(), "first", stop=lambda: "wait" in stopped, watch=lambda s, a: stopped.append(a.verb))
    stage.clock.sleep(120)
    says(stage)
    state = go(stage)
    since = state.analyses[0].spec.since
    canary = next(t for t in state.rollout.status.transitions if t.reason == "Promoted")
    assert 130 <= (canary.time - since).total_seconds() < 160
    assert state.analyses[0].status.checks == 2


def test_a_wave_that_is_being_judged_keeps_its_looks_when_another_one_is_declared():
    short = EVERYTHING.model_copy(update={"expires_after_seconds": 60})
    stage, seen, stopped = shut(short, windows=[]), [], []

    def watch(state, action):
        if action.wave == 0 and 0 in state.analyses:
            seen.append((settled_at(state, 0), state.analyses[0].status.checks))

    work(stage.context(), "first", stop=lambda: "wait" in stopped, watch=lambda s, a: stopped.append(a.verb))
    says(stage)
    Embedded(stage.context(), "next", stop=lambda: bool(seen) and seen[-1][1] == 1, watch=watch).drive(NAME)
    known = len(seen)
    stage.clock.sleep(61)
    says(stage, "bob")
    state = Embedded(stage.context(), "next", watch=watch).drive(NAME)
    declared = state.rollout.status.emergency
    assert (state.rollout.status.phase, declared.user, len(declared.earlier)) == ("Succeeded", "bob", 1)
    assert len(seen) > known and {settled for settled, checks in seen[known - 1 :]} == {seen[known - 1][0]}


def outcome(good, at=0, after=False):
    stage, death = shut(good=good), kills(at, after)
    before = stage.standing()
    assert work(stage.context(), "zero").rollout.status.paused_for == "window"
    says(stage)
    try:
        state = go(stage, FaultyPort(stage.cluster, death), prober=FaultyPort(stage.prober, death))
    except Dead:
        state = work(stage.context(), "second")
    return stage, before, state, death


@pytest.mark.parametrize(("good", "after"), [(True, True), (False, False)])
def test_stopped_at_any_call_and_started_again_it_ends_the_same(good, after):
    death = outcome(good)[3]
    for at in death.points(good, after):
        stage, before, state, _ = outcome(good, at, after)
        check(stage, before, state)
        assert reasons(state).count("Emergency") == 1
