"""Whatever a server does, a provider ends in values or in one clear line, in time and within its memory."""

import math
import time
import tracemalloc
from datetime import UTC, datetime

import hostile
import pytest

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.metrics.metric_sources import Settings, build
from orchestrator.errors import MetricError
from orchestrator.rollout.resources import model as m

SLOW = (
    "drip",
    "drip_head",
    "silence",
)  # they last hostile.DRIPPING seconds unless the client's deadline ends them
TIMEOUT, PATIENT = 1, 20  # seconds, for slow moods and for the others
MOST_MEMORY = 96 * 1024 * 1024  # twice the largest answer that is read at all, while it grows and is parsed
DIALECTS = ("prometheus", "web", "kubernetes")
TYPES = {"prometheus": "prometheus", "web": "http", "kubernetes": "kubernetes"}
EXPRESSIONS = {"prometheus": "up", "web": "rows", "kubernetes": 'ready{namespace="pay"}'}


def timeout(mood):
    return TIMEOUT if mood in SLOW else PATIENT


@pytest.fixture
def ask(tmp_path):
    """`ask(dialect, mood)`: the samples, through the provider of that dialect."""

    def run(dialect, mood):
        with hostile.serving(dialect, mood) as url:
            cluster = None
            if dialect == "kubernetes":
                cluster = connect(hostile.kubeconfig(tmp_path / "config", url), timeout=timeout(mood))
            spec = m.Provider(
                name="x", type=TYPES[dialect], url=url, result="rows", timeout_seconds=timeout(mood)
            )
            source = build(Settings(spec, {"bearer": b"hunter2"}, cluster, SystemClock()))
            return source.query(EXPRESSIONS[dialect], datetime.now(UTC))

    return run


@pytest.fixture
def fails(ask):
    """`fails(dialect, mood)`: the one line of the MetricError that comes in time."""

    def run(dialect, mood):
        began = time.monotonic()
        with pytest.raises(MetricError) as error:
            ask(dialect, mood)
        assert time.monotonic() - began < hostile.DRIPPING / 2  # it did not wait for the end
        text = str(error.value)
        assert text and "\n" not in text and len(text) < 600 and "hunter2" not in text
        return text

    return run


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mood", ["values", "chunked"])
def test_values_are_values_however_they_are_sent(ask, dialect, mood):
    (sample,) = ask(dialect, mood)
    assert sample.labels["namespace"] == "pay"
    assert sample.value == (1.0 if dialect == "kubernetes" else 0.5)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nan_is_passed_on_for_the_analysis_to_judge(ask, dialect):
    (sample,) = ask(dialect, "nan")
    assert sample.value == 0.0 if dialect == "kubernetes" else math.isnan(sample.value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_an_empty_list_and_no_error(ask, dialect):
    assert ask(dialect, "nothing") == []


@pytest.mark.parametrize("dialect", ["prometheus", "web"])
def test_a_server_that_asks_to_come_again_at_once_is_asked_again(ask, dialect):
    assert len(ask(dialect, "busy_once")) == 1


SAYS = {
    "error_body": ("parse error at char 5", "no such table", "bad selector"),
    "unauthorized": ("answered 401: check the credentials",) * 2 + ("Unauthorized",),
    "busy": ("come again in 3600 s, which is later",) * 2 + ("Too Many Requests",),
    "broken": ("HTTP 500, not JSON",) * 2 + ("Internal Server Error",),
    "half": ("gave no usable answer",) * 2 + ("gave no answer",),
    "redirect": ("302, a redirect, which is not followed",) * 2 + ("Found",),
    "drip": ("no whole answer within 1 s",) * 2 + ("took longer than 1 s",),
    "silence": ("no whole answer within 1 s",) * 2 + ("gave no answer",),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mood", SAYS)
def test_a_bad_answer_is_one_line_within_the_deadline(fails, dialect, mood):
    assert SAYS[mood][DIALECTS.index(dialect)] in fails(dialect, mood)


@pytest.mark.parametrize("dialect", ["prometheus", "web"])
def test_a_head_that_drips_ends_with_the_deadline_too(fails, dialect):
    assert "no whole answer within 1 s" in fails(dialect, "drip_head")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mood", ["huge", "huge_and_told"])
def test_a_hundred_megabytes_are_not_read(fails, dialect, mood):
    tracemalloc.start()
    try:
        text = fails(dialect, mood)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "larger than" in text
    assert peak < MOST_MEMORY
