"""What is kept of measurements fits into one object, and what went wrong is kept longest."""

from datetime import UTC, datetime, timedelta

from orchestrator.measure.kept_measurements import MOST_KEPT, kept
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import dump

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def records(count, phase="Successful", size=8000):
    return [
        m.MeasurementRecord(
            metric="m", namespace=f"n{n}", time=NOW + timedelta(seconds=n), phase=phase, query="q" * size,
            message="t" * 2000,
        )
        for n in range(count)
    ]  # fmt: skip


def test_few_are_kept_as_they_are():
    few = records(3)
    assert kept(few) == few


def test_many_fit_into_an_object_that_the_api_server_takes():
    found = kept(records(5000))
    status = m.WaveAnalysisStatus(measurements=found)
    assert len(found) == MOST_KEPT and len(str(dump(status))) < 1_300_000
    assert found[-1].query and not found[0].query


def test_what_went_wrong_stays_when_what_was_good_has_to_go():
    bad = records(2, "Failed", 10)
    found = kept([*bad, *records(3000, size=10)])
    assert [r.phase for r in found].count("Failed") == 2
    assert found[-1].namespace == "n2999"
