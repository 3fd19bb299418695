"""Every page, of a rollout on which everybody wrote hostile texts."""

import pytest
from hostile_texts import LINE, assert_harmless, freeze, hostile_stage

from orchestrator.operations.start import find_source, start
from orchestrator.rollout.resources import model as m

PATHS = (
    "/",
    "/sources",
    "/namespaces/cart",
    "/history",
    "/rollouts/NAME",
    "/rollouts/NAME/approve",
    "/rollouts/NAME/emergency",
    "/rollouts/NAME/why",
    "/search?q=owned",
    "/map",
    "/map?rollout=NAME",
)


@pytest.fixture(params=["waits", "rolled back"])
def site(request, opened):
    gate = m.Gate(wave=1, approvals=2)
    gates, hurry = ([gate] if request.param == "waits" else []), m.Emergency(skip=["waits"], groups=[LINE])
    stage = hostile_stage(request.param == "waits", gates=gates, emergency=hurry)
    made = opened(stage)
    ctx = stage.context()
    made.name = start(ctx, find_source(ctx, "shop")).rollout
    made.work()
    freeze(stage)
    return made


def test_pages_are_harmless(site):
    seen = ""
    for path in PATHS:
        text = site.get(path).text
        seen += text
        try:
            assert_harmless(text, "annotations")
            assert "<script>alert" not in text and "</pre><script" not in text
        except AssertionError as error:
            raise AssertionError(f"{path}: {error}") from None
    assert "owned" in seen, "nothing hostile came through to be made harmless"


def test_what_is_searched_for_comes_back_harmless(site):
    assert_harmless(
        site.get("/history", params={"person": LINE, "namespace": LINE, "commit": LINE}).text, "annotations"
    )
