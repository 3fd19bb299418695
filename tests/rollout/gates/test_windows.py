"""Windows open and close when their schedule says, on both sides of every clock change."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import cache
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.errors import BadInput
from orchestrator.rollout.gates.windows import opening
from orchestrator.rollout.resources import cron
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

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
    # 8 hours, one of them skipped
    assert opening([night], at("2026-03-28T23:59")).until == at("2026-03-29T07:00")
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
        (
            "30 2 * * *",
            "Europe/Berlin",
            date(2026, 3, 29),
            ["01:00"],
        ),  # skipped: comes at 3:00, when the clock goes on
        ("30 2 * * *", "Europe/Berlin", date(2026, 10, 25), ["00:30"]),  # twice: the first time
        ("30 * * * *", "Europe/Berlin", date(2026, 10, 25), None),  # every hour of 25
        ("0 0 * * *", "Australia/Lord_Howe", date(2026, 4, 5), ["13:00"]),  # half an hour's change
        ("0 9 L * *", "UTC", date(2026, 2, 28), ["09:00"]),  # the last day of a month
        ("0 9 * * mon#1", "UTC", date(2026, 2, 2), ["09:00"]),  # the first Monday
        ("0 9 * * mon#1", "UTC", date(2026, 2, 9), []),
    ],
)
def test_a_time_that_the_clock_skips_or_shows_twice(schedule, zone, day, expected):
    found = moments(schedule, zone, day)
    if expected is None:
        assert len(found) == 25 and {b - a for a, b in pairwise(found)} == {HOUR}
    else:
        assert [f"{t:%H:%M}" for t in found] == expected
    assert list(reversed(found)) == list(back(schedule, zone, day))


def moments(schedule, zone, day):
    """When it comes round on a local day, by walking forward."""
    begin, end = (
        datetime.combine(d, clock(), ZoneInfo(zone)).astimezone(UTC) for d in (day, day + timedelta(days=1))
    )
    return list(takewhile(lambda t: t < end, cron.following(schedule, zone, begin - MINUTE / 60)))


def back(schedule, zone, day):
    """The same by walking back."""
    begin, end = (
        datetime.combine(d, clock(), ZoneInfo(zone)).astimezone(UTC) for d in (day, day + timedelta(days=1))
    )
    at = end - MINUTE / 60
    while (at := cron.latest(schedule, zone, at)) is not None and at >= begin:
        yield at
        at -= MINUTE / 60


def test_between_the_two_hours_that_the_clock_shows_the_next_and_the_latest_are_on_their_sides():
    """At 2:15, 2:15 again and 2:45 again: 2:30 has come once, and comes next on the next day."""
    first, again, later = (datetime(2026, 10, 25, *hm, tzinfo=UTC) for hm in ((0, 15), (1, 15), (1, 45)))
    start, tomorrow = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    ends = [
        (
            cron.latest("30 2 * * *", "Europe/Berlin", t),
            next(cron.following("30 2 * * *", "Europe/Berlin", t)),
        )
        for t in (first, start, again, later)
    ]
    yesterday = datetime(2026, 10, 24, 0, 30, tzinfo=UTC)
    assert ends == [(yesterday, start), *[(start, tomorrow)] * 3]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schedule": "0 9 * *"}, "schedule.*has 4 fields"),
        ({"schedule": "0 0 9 * * *"}, "schedule.*has 6 fields"),
        ({"schedule": "@daily"}, "schedule.*has 1 fields"),
        ({"schedule": "0 25 * * *"}, "bad hour; a schedule is minute hour"),
        ({"schedule": "0 9 * * mon-"}, "bad day-of-week"),
        ({"schedule": "*/0 9 * * *"}, "bad minute"),
        ({"schedule": "0 9 30 feb *"}, "bad day-of-month"),
        ({"schedule": "0 9 */31 * mon#3"}, "never comes round"),
        ({"schedule": "0 17-9 * * *"}, "bad hour"),
        ({"schedule": "0 ² * * *"}, "bad hour"),
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
    days = [date(2026, 1, d) for d in range(1, 32)]
    assert [d.day for d in days if moments("0 0 13 * fri", "UTC", d)] == [2, 9, 13, 16, 23, 30]
    assert [d.day for d in days if moments("0 0 * * 7", "UTC", d)] == [4, 11, 18, 25]
    assert moments("0 0 * * SUN", "UTC", days[3]) == moments("0 0 * * 0", "UTC", days[3])


@given(st.text(alphabet="0123456789*/,-#LWmonfeb ²\t", max_size=24))
def test_any_text_is_a_schedule_that_comes_round_or_is_refused(text):
    with suppress(ValueError):
        cron.check(text)
        assert next(cron.following(text, "Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC)))


# Lord Howe's clock changes by half an hour: there cronsim begins schedules with a star late on that day (docs/windows.md).
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kathmandu"])
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


MINUTES = {"0": {0}, "30": {30}, "*/20": {0, 20, 40}, "59": {59}}
HOURS = {"*": range(24), "0": {0}, "1-3": range(1, 4), "9": {9}, "22": {22}, "*/5": range(0, 24, 5)}
DAYS = {"*": range(7), "mon-fri": range(5), "sun": {6}, "1,6": {0, 5}}


@cache
def starts(schedule, zone, day):
    """When it begins on a local day, by Debian's cron(8).

    A job at fixed times that the clock skips runs at once, and one whose time the clock shows twice runs once; one with a
    star for its minute or hour goes by the clock alone.
    """
    minute, hour, _, _, week = schedule.split()
    fixed, found = "*" not in minute + hour, set()
    if day.weekday() in DAYS[week]:
        for at in (datetime.combine(day, clock(h, m)) for h in HOURS[hour] for m in MINUTES[minute]):
            for fold in (0,) if fixed else (0, 1):
                shown = at
                while skipped(there := shown.replace(tzinfo=zone, fold=fold)) and fixed:
                    shown += MINUTE
                if not skipped(there):
                    found.add(there.astimezone(UTC))
    return sorted(found)


def skipped(local):
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None, fold=0) != local.replace(
        tzinfo=None, fold=0
    )


def active(one, now):
    """By brute force: some start of the last days has not run out."""
    zone = ZoneInfo(one.time_zone)
    local = now.astimezone(zone).date()
    found = (t for n in range(-3, 2) for t in starts(one.schedule, zone, local + timedelta(days=n)))
    return any(start <= now < start + timedelta(seconds=one.duration_seconds) for start in found)


# A midnight that the clock skips, of a schedule with a star.
SKIPPED = m.Window(kind="allow", schedule="0 */5 * * sun", duration_seconds=60, time_zone="America/Havana")

# And one that has the hour, too, which the clock shows instead.
SHOWN = m.Window(kind="allow", schedule="*/20 * * * sun", duration_seconds=1200, time_zone="America/Havana")


@settings(max_examples=80)
@example([SKIPPED], datetime(2026, 3, 7, tzinfo=UTC))
@example([SHOWN], datetime(2026, 3, 7, tzinfo=UTC))
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
