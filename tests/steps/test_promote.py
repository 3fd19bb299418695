"""A wave is promoted on evidence, and only where it was written."""

from dataclasses import replace

import pytest
from stage import Stage, work

from orchestrator.errors import Refused
from orchestrator.rollout.next import Action
from orchestrator.rollout.resources import model as m
from orchestrator.steps import promote


@pytest.mark.parametrize(
    ("lacking", "said"),
    [({"analyses": {}}, "no successful analysis"), ({"namespaces": {}}, "was not written to cart")],
)
def test_what_lacks_evidence_or_was_not_written_is_not_promoted(lacking, said):
    stage = Stage(gates=[m.Gate(wave=1)])
    state = work(stage.context(), "first")
    with pytest.raises(Refused, match=said):
        promote.run(stage.context(), replace(state, **lacking), Action("promote", 0))
