"""A rollout's name is a label of what it writes: whatever its source is called, it fits one, or nothing begins."""

import pytest
from stage import OWN, Stage

from orchestrator.context import ROLLOUT, SOURCE
from orchestrator.errors import BadInput
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import MOST_LABEL
from orchestrator.rollout.resources.resource import new


def renamed(name):
    stage = Stage()
    old = stage.cluster.get(SOURCE, "shop", OWN)
    meta = {"name": name, "namespace": OWN}
    stage.cluster.create({k: v for k, v in {**old, "metadata": meta}.items() if k != "status"})
    return stage


@pytest.mark.parametrize("length", [1, 52, 53, MOST_LABEL])
def test_a_rollout_s_name_fits_a_label(length):
    stage = renamed("a" * length)
    started = start(stage.context(), find_source(stage.context(), "a" * length))
    assert len(started.rollout) <= MOST_LABEL and started.rollout.endswith("-cccccccccc")


def test_a_source_whose_name_is_too_long_is_told_so_and_nothing_is_written():
    name = "a" * (MOST_LABEL + 1)
    stage = renamed(name)
    with pytest.raises(BadInput, match="63 at most"):
        start(stage.context(), find_source(stage.context(), name))
    assert stage.cluster.list(ROLLOUT, OWN) == []


@pytest.mark.parametrize("length", [1, 52, MOST_LABEL])
def test_a_commit_that_was_rolled_out_before_gets_a_number_and_fits_a_label_too(length):
    stage, name = renamed("a" * length), "a" * length
    waves = [m.Wave(why="all", namespaces=[m.WaveNamespace(name="web", before="", after="")])]
    strategy, digest = m.Strategy(), "sha256:1"
    spec = m.PolicyRolloutSpec(
        source="other", revision="c" * 40, strategy=strategy, plan_digest=digest, waves=waves
    )
    for end in ("", *(f"-{number}" for number in range(2, 11))):
        tail = f"-cccccccccc{end}"
        taken = name[: MOST_LABEL - len(tail)] + tail
        stage.cluster.create(new("PolicyRollout", taken, OWN, spec))
    started = start(stage.context(), find_source(stage.context(), name))
    assert len(started.rollout) <= MOST_LABEL and started.rollout.endswith("-cccccccccc-11")
