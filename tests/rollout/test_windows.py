"""Windows open and close when their schedule says, on both sides of every clock change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import BadInput
from orchestrator.rollout import model as m
from orchestrator.rollout.cron import moments, parse
from orchestrator.rollout.resource import load, new
from orchestrator.rollout.windows import opening

OFFICE = {"schedule": "0 9 * * mon-fri", "duration_seconds": 8 * 3600, "time_zone": "Europe/Berlin"}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def window(**fields):
    return m.Window(**{**OFFICE, **fields})


def at(text, zone="Europe/Berlin"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "is_open", "until"),
    [
        ("2026-03-27T08:59", False, "2026-03-27T09:00"),  # a Friday
        ("2026-03-27T09:00", True, "2026-03-27T17:00"),
        ("2026-03-27T17:00", False, "2026-03-30T09:00"),  # the clock went forward on Sunday
        ("2026-10-23T18:00", False, "2026-10-26T09:00"),  # and back
    ],
)
def test_office_hours_stay_office_hours_over_a_clock_change(now, is_open, until):
    found = opening([window()], at(now))
    assert (found.open, found.until) == (is_open, at(until))


def test_a_window_goes_on_over_midnight_for_as_long_as_it_lasts():
    night = window(schedule="0 22 * * *", duration_seconds=8 * 3600)
    assert opening([night], at("2026-03-28T23:59")).until == at(
        "2026-03-29T07:00"
    )  # 8 hours, one of them skipped
    assert opening([night], at("2026-01-10T03:00")) == opening([night], at("2026-01-10T05:59"))


def test_no_windows_are_always_open_and_a_deny_alone_closes_only_itself():
    assert opening([], at("2026-01-01T00:00")).open
    freeze = window(kind="deny", schedule="0 0 24 12 *", duration_seconds=8 * 86400)
    found = opening([freeze], at("2026-12-27T12:00"))
    assert not found.open and found.until == at("2027-01-01T00:00")
    assert "denies it; until 2026-12-31 23:00 UTC" in found.message
    assert opening([freeze], at("2026-07-01T12:00")).until == at("2026-12-24T00:00")


def test_a_deny_wins_over_an_allow_and_the_opening_is_after_both():
    lunch = window(kind="deny", schedule="0 12 * * *", duration_seconds=3600)
    assert opening([window(), lunch], at("2026-01-05T11:00")).until == at("2026-01-05T12:00")
    assert opening([window(), lunch], at("2026-01-05T12:30")).until == at("2026-01-05T13:00")
    late = window(kind="deny", schedule="0 16 * * *", duration_seconds=10 * 3600)
    assert opening([window(), late], at("2026-01-05T16:30")).until == at("2026-01-06T09:00")


@pytest.mark.parametrize(
    ("schedule", "zone", "day", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", date(2026, 3, 29), ["01:30"]),  # skipped: comes at 3:30
        ("30 2 * * *", "Europe/Berlin", date(2026, 10, 25), ["00:30"]),  # twice: the first time
        ("30 * * * *", "Europe/Berlin", date(2026, 10, 25), None),  # every hour of 25
        ("0 0 * * *", "Australia/Lord_Howe", date(2026, 4, 5), ["13:00"]),  # half an hour's change
    ],
)
def test_a_time_that_the_clock_skips_or_shows_twice(schedule, zone, day, expected):
    found = moments(schedule, zone, day)
    if expected is None:
        assert len(found) == 25 and {b - a for a, b in pairwise(found)} == {HOUR}
    else:
        assert [f"{t:%H:%M}" for t in found] == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schedule": "0 9 * *"}, "schedule.*has 4 fields"),
        ({"schedule": "0 25 * * *"}, "the hour '25' is not 0 to 23"),
        ({"schedule": "0 9 * * mon-"}, "the day of week '' is not"),
        ({"schedule": "*/0 9 * * *"}, "no step above 0"),
        ({"schedule": "0 9 30 feb *"}, "never comes round"),
        ({"schedule": "0 17-9 * * *"}, "ends before it begins"),
        ({"timeZone": "Europe/Nowhere"}, "timeZone.*no time zone; take a name such as"),
        ({"timeZone": "../etc/passwd"}, "no time zone"),
        ({"durationSeconds": 5}, "durationSeconds"),
    ],
)
def test_a_bad_window_is_said_with_its_field(fields, said):
    scope = m.NamespaceScope(names=["a"])
    obj = new("PolicySource", "shop", "np", m.PolicySourceSpec(git=m.Git(url="/r"), namespaces=scope))
    given = {"schedule": "0 9 * * *", "durationSeconds": 3600, **fields}
    obj["spec"]["strategy"]["windows"] = [given]
    with pytest.raises(BadInput, match=r"spec.strategy.windows.0.*" + said):
        load(obj)


def test_days_of_month_and_week_are_either_as_cron_has_them():
    both = parse("0 0 13 * fri")
    assert (
        both.names(date(2026, 1, 13)) and both.names(date(2026, 1, 16)) and not both.names(date(2026, 1, 14))
    )
    assert parse("0 0 * * 7").weekdays == parse("0 0 * * sun").weekdays == {0}


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
# Around the clock changes of 2026, and anywhere else.
TIMES = st.one_of(
    st.datetimes(datetime(2026, 3, 7), datetime(2026, 4, 6)),
    st.datetimes(datetime(2026, 10, 3), datetime(2026, 11, 2)),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
).map(lambda t: t.replace(second=0, microsecond=0, tzinfo=UTC))
WINDOWS = st.builds(
    lambda kind, minute, hour, days, seconds, zone: m.Window(
        kind=kind, schedule=f"{minute} {hour} * * {days}", duration_seconds=seconds, time_zone=zone
    ),
    st.sampled_from(["allow", "deny"]),
    st.sampled_from(["0", "30", "*/20", "59"]),
    st.sampled_from(["*", "0", "1-3", "9", "22", "*/5"]),
    st.sampled_from(["*", "mon-fri", "sun", "1,6"]),
    st.sampled_from([60, 1200, 3600, 9 * 3600, 26 * 3600]),
    ZONES,
)


def active(one, now):
    """By brute force: some start of the last days has not run out."""
    local = now.astimezone(ZoneInfo(one.time_zone)).date()
    starts = [
        t for n in range(-3, 2) for t in moments(one.schedule, one.time_zone, local + timedelta(days=n))
    ]
    return any(start <= now < start + timedelta(seconds=one.duration_seconds) for start in starts)


@settings(max_examples=150)
@given(st.lists(WINDOWS, min_size=1, max_size=3), TIMES)
def test_it_is_open_as_its_windows_say_and_stays_so_until_the_change_it_names(windows, now):
    def expected(when):
        allowed = [w for w in windows if w.kind == "allow"]
        denied = any(active(w, when) for w in windows if w.kind == "deny")
        return not denied and (not allowed or any(active(w, when) for w in allowed))

    found = opening(windows, now)
    assert found.open == expected(now)
    if found.until is None:
        assert all(expected(now + timedelta(hours=7 * n)) == found.open for n in range(48))
        return
    assert found.until > now and expected(found.until) != found.open
    span = found.until - now
    for part in range(1, 20):
        assert expected(now + span * part / 20) == found.open
    assert expected(found.until - MINUTE / 60) == found.open


@settings(max_examples=60)
@given(ZONES, st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.integers(0, 23), st.integers(0, 59))
def test_a_fixed_time_comes_once_a_day_and_in_order(zone, day, hour, minute):
    days = [moments(f"{minute} {hour} * * *", zone, day + timedelta(days=n)) for n in range(3)]
    assert [len(d) for d in days] == [1, 1, 1]
    gaps = [b[0] - a[0] for a, b in pairwise(days)]
    assert all(22 * HOUR < gap < 26 * HOUR for gap in gaps)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
def test_every_minute_is_every_minute_of_a_day_that_changes_the_clock(zone):
    always = window(schedule="* * * * *", duration_seconds=60, time_zone=zone)
    for start in (datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        assert all(opening([always], start + 7 * HOUR * n).open for n in range(24))
