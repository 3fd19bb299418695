"""What the guides on windows, Argo CD and Flux show is what the models know."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from orchestrator.rollout.resources import model as m

DOCS = Path(__file__).parents[2] / "docs"


def blocks(name):
    """The YAML of a guide."""
    return [
        yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", (DOCS / name).read_text(), re.S)
    ]


def test_the_windows_and_the_freeze_that_are_shown_are_valid():
    strategy, freeze = blocks("windows.md")
    assert len(m.Strategy.model_validate(strategy["strategy"]).windows) == 2
    spec = m.RolloutFreezeSpec.model_validate(freeze["spec"])
    assert spec.begin < spec.until and spec.sources == ["payments"]


@pytest.mark.parametrize("name", ["argo-cd.md", "flux.md"])
def test_the_other_guides_hold_yaml_and_name_the_choices_that_there_are(name):
    assert blocks(name)
    text = (DOCS / name).read_text()
    for choice in get_args(m.PolicySourceSpec.model_fields["conflicts"].annotation):
        assert f"conflicts: {choice}" in text
    assert "drift: repair" in text


def test_every_choice_is_explained():
    text = (DOCS / "drift.md").read_text()
    for field in ("conflicts", "drift"):
        for choice in get_args(m.PolicySourceSpec.model_fields[field].annotation):
            assert f"| `{choice}` |" in text


def test_argo_cd_s_health_check_knows_every_phase():
    known = next(b["data"] for b in blocks("argo-cd.md") if "resource.customizations.health" in str(b))
    script = known["resource.customizations.health.netpol-canary.dev_PolicyRollout"]
    assert set(re.findall(r"(\w+) = \"", script)) >= set(get_args(m.RolloutPhase))
