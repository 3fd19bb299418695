"""Times of the API server are read alike everywhere."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orchestrator.rollout.resources.timestamps import stamp

AT = datetime(2026, 1, 5, 9, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T09:02:00Z",
        "2026-01-05T10:02:00+01:00",
        "2026-01-05T09:02:00.000000Z",
        "2026-01-05T09:02:00",
    ],
)
def test_a_time_is_read_in_utc(text):
    assert stamp(text) == AT and stamp(text).tzinfo is UTC


def test_a_time_stays_one():
    given = AT.astimezone(timezone(timedelta(hours=1)))
    assert stamp(given) is given


@pytest.mark.parametrize("text", [None, "", "soon", {}])
def test_anything_else_is_no_time(text):
    assert stamp(text) is None
