"""What people see of a rollout says who works on it: Argo, and by which workflow, or nobody but the controller."""

from datetime import UTC, datetime

from stage import Stage, work
from stand_in import Theatre

from orchestrator.record.build import view
from orchestrator.record.report.tables import facts

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_a_rollout_by_argo_names_the_workflow_that_worked_last():
    theatre = Theatre()
    state = work(theatre.stage.context(), "engine", **theatre.engine())
    found = dict(facts(view(state, NOW)))
    assert found["Engine"] == f"Argo Workflows, wave 1 by {state.rollout.name}-w1-0"


def test_a_rollout_by_the_controller_alone_names_no_engine():
    assert "Engine" not in dict(facts(view(work(Stage().context(), "engine"), NOW)))
