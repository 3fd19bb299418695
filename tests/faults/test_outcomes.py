"""What the embedded engine makes of five changes; the cluster tier holds Argo to the same table."""

import pytest
from outcomes import OUTCOMES
from stage import OWN, Rounds, Stage

from orchestrator.context import NAMESPACE_ROLLOUT, read
from orchestrator.operations.approve import Decision, decide
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

NAME = "shop-cccccccccc"


def decided(stage, decision):
    for user in ("mia", "bob"):
        ctx = stage.context(stage.cluster.acting_as(user))
        decide(ctx, read(ctx, NAME), Decision(comment="seen", decision=decision))


def aborting(rounds):
    """A person ends it as soon as the canary is written."""
    probe, asked = rounds.stage.prober.run, []

    def run(probes):
        phases = [o.get("status", {}).get("phase") for o in rounds.stage.cluster.list(NAMESPACE_ROLLOUT, OWN)]
        if "Applied" in phases and not asked:
            asked.append(rounds.ask(NAME, "abort"))
        return probe(probes)

    rounds.stage.prober.run = run


@pytest.mark.parametrize("what", OUTCOMES)
def test_a_change_ends_as_the_table_says(what):
    gated = what in ("approved", "rejected")
    stage = Stage(good=what != "rolled back", gates=[m.Gate(wave=1)] if gated else [])
    before, rounds = stage.standing(), Rounds(stage)
    if what == "aborted":
        aborting(rounds)
    rounds.go()
    if gated:
        assert rounds.rollouts() == {NAME: "Paused"}
        decided(stage, {"approved": "approve", "rejected": "reject"}[what])
        rounds.go()
    phase, reasons, spaces, held = OUTCOMES[what]
    status = read(stage.context(), NAME).rollout.status
    assert (status.phase, [t.reason for t in status.transitions]) == (phase, reasons)
    records = [load(o) for o in stage.cluster.list(NAMESPACE_ROLLOUT, OWN)]
    assert {r.status.phase for r in records} == spaces
    assert (stage.standing() == before) is (phase == "RolledBack")
    assert (status.restored_seconds is not None) is (phase == "RolledBack")
    assert (stage.shop().status.blocked_revision == "c" * 40) is held
