"""A wave's evidence: what is found how soon, what is not held against a change, when it is enough."""

import subprocess
import sys

import pytest

from orchestrator.analysis.sequential.alarm import Counts, Evidence, alarm_at, pooled, threshold, verdict_of
from orchestrator.analysis.sequential.streams import ratio_evidence, volume_evidence

MANY = alarm_at(streams=18, waves=3, alpha=0.05)


def counts(errors, total, length=None):
    """Counts of one interval repeated, or a list of errors over a steady total."""
    values = tuple(map(float, errors)) if length is None else (float(errors),) * length
    return Counts(values, (float(total),) * len(values))


def spread(count, total, length):
    """So many errors, one at a time, evenly over the intervals."""
    return counts([int(count * (i + 1) / length) - int(count * i / length) for i in range(length)], total)


PAST = spread(36, 150, 240)  # 10 requests a second for an hour, 0.1 % errors, scraped every 15 s
CONTROLS = spread(108, 450, 240)


def ratio(after, controls=None, past=PAST, **more):
    settings = {"tolerance": 0.5, "alarm_at": MANY, **more}
    return ratio_evidence(past, after, CONTROLS if controls else None, controls, **settings)


def volume(after, controls=None, past=PAST.total, **more):
    settings = {"min_ratio": 0.6, "alarm_at": MANY, **more}
    return volume_evidence(past, after, CONTROLS.total if controls else None, controls, **settings)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_clear_break_alarms_in_its_first_interval_though_eighteen_streams_share_alpha(share):
    broken = ratio(counts(150 * share, 150, 1), spread(1, 450, 1))
    quiet = ratio(counts(0, 150, 1), spread(1, 450, 1))
    streams = {n: broken if n == 0 else quiet for n in range(18)}
    found = verdict_of(streams, alpha=0.05, waves=3)
    assert found.alarm
    assert found.worst == 0


def test_traffic_that_vanishes_alarms_in_its_first_interval():
    assert volume((0.0,)).peak >= MANY
    assert volume((0.0,), (440.0,)).peak >= MANY


def test_a_break_that_begins_later_is_found_as_well():
    path = ratio(counts([0] * 60 + [45] * 3, 150)).path
    assert max(path[:60]) < MANY <= path[62]


def test_what_went_on_as_before_is_no_evidence():
    assert ratio(spread(18, 150, 120), spread(54, 450, 120)).peak < 1
    assert volume((150.0,) * 120, (450.0,) * 120).peak < 1


def test_errors_within_the_tolerance_are_borne_and_beyond_it_they_are_found():
    assert ratio(spread(27, 150, 120)).peak < MANY
    assert ratio(spread(360, 150, 120)).peak >= MANY


@pytest.mark.parametrize("clumps", [1, 2])
def test_clumps_of_ten_that_the_past_has_never_shown_do_not_alarm(clumps):
    silent = spread(0, 150, 240)
    assert ratio(counts([10] * clumps + [0] * 20, 150), past=silent).peak < MANY


def test_an_outage_that_all_share_is_not_held_against_the_change():
    shared = counts([0] * 8 + [45] * 12, 150)
    alike = counts([0] * 8 + [135] * 12, 450)
    assert ratio(shared, alike).peak < MANY
    assert ratio(shared, spread(9, 450, 20)).peak >= MANY


def test_traffic_that_the_controls_lose_alike_proves_nothing():
    assert volume((0.0,) * 10, (0.0,) * 10).peak < MANY
    assert volume((60.0,) * 40, (180.0,) * 40).peak < MANY
    assert not volume((0.0,) * 10, (0.0,) * 10).enough


def test_controls_that_were_not_scraped_prove_nothing_either():
    assert volume((0.0,) * 10, (None,) * 10).peak < MANY


def test_controls_that_grow_busier_ask_for_nothing_more():
    assert volume((150.0,) * 40, (1000.0,) * 40).peak < 1


def test_without_controls_the_own_past_decides_and_the_message_says_so():
    found = ratio(spread(2, 150, 12))
    assert found.note == "no control group: the baseline decides"
    assert found.note in found.message
    empty = counts(0, 0, 240)
    idle = ratio_evidence(PAST, spread(2, 150, 12), empty, spread(0, 0, 12), tolerance=0.5, alarm_at=MANY)
    assert idle.note == found.note
    assert ratio(spread(2, 150, 12), spread(5, 450, 12)).note == ""


def test_the_message_is_one_line_with_what_was_seen_expected_and_still_wanting():
    assert ratio(spread(2, 150, 12), spread(10, 450, 12)).message == (
        "2 errors in 1800 requests (0.11 %), at most 0.26 % expected (baseline 36 in 36000, control group x1.7, "
        "tolerance 50 %); evidence 1:1, alarm at 1:1,440"
    )
    assert volume((0.0,) * 2, (400.0, 400.0)).message == (
        "0 requests, 267 expected (baseline 150 an interval, control group x0.89), at least 60 % of them "
        "asked for; evidence 1:1,000,000 or more, alarm at 1:1,440"
    )


def test_empty_errors_beside_requests_are_zero_errors():
    nothing = Counts((None,) * 12, (150.0,) * 12)
    assert ratio(nothing) == ratio(counts(0, 150, 12))


def test_errors_whose_requests_were_not_scraped_are_counted_with_the_next_requests():
    late = Counts((0.0, 45.0, 0.0), (150.0, None, 300.0))
    assert ratio(late).seen == 45
    assert ratio(late).path[:2] == ratio(Counts((0.0, None), (150.0, None))).path


@pytest.mark.parametrize("total", [None, 0.0])
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_requests_are_no_data(total, when):
    empty = Counts((total,) * 12, (total,) * 12)
    found = ratio(empty) if when == "after" else ratio(counts(5, 150, 12), past=empty)
    assert not found.enough
    assert found.peak <= 0
    assert found.message == f"no data: no requests were counted {when} the change"


def test_a_volume_that_was_not_scraped_is_no_data_whatever_was_there_before():
    found = volume((None,) * 12)
    assert not found.enough
    assert found.peak <= 0
    assert volume((0.0,) * 12, past=(0.0,) * 240).message.startswith("no data")


def test_there_is_enough_once_the_regression_asked_about_would_have_alarmed():
    assert not ratio(spread(0, 150, 1)).enough
    assert ratio(spread(2, 150, 20)).enough
    assert not ratio(spread(2, 150, 20), regression=0.004).enough
    assert ratio(spread(2, 150, 2), regression=0.9).enough
    assert volume((150.0,)).enough
    assert not volume((150.0,), regression=0.41).enough


def test_a_share_that_the_past_does_not_rule_out_can_never_be_enough():
    tiny = spread(0, 2, 30)
    assert not ratio(spread(0, 2, 40), past=tiny, regression=0.02).enough


def test_what_a_lost_scrape_brings_later_is_expected_of_the_intervals_that_it_covers():
    late = volume((None, None, 450.0, 150.0))
    assert late.expected == pytest.approx(600)
    assert late.peak < 1


def test_a_gap_in_the_past_does_not_make_it_look_busier():
    gaps = tuple(None if i % 4 else 600.0 for i in range(3, 243))
    assert volume((150.0,) * 8, past=gaps).expected == pytest.approx(1200, rel=0.02)


def stream(*path):
    return Evidence(path[-1], max(path), path, 0, 0, 0, False, "")


def test_streams_share_alpha_by_their_mean_and_any_look_counts():
    limit = threshold(0.05, 1)
    alone = {"a": stream(0.0, limit + 0.01, 0.0)}
    assert verdict_of(alone, 0.05, 1).alarm
    assert not verdict_of({**alone, "b": stream(0.0, 0.0, 0.0)}, 0.05, 1).alarm
    assert verdict_of({"a": stream(0.0, alarm_at(2, 1, 0.05)), "b": stream(0.0, 0.0)}, 0.05, 1).alarm
    assert not verdict_of({"a": stream(limit + 0.01, -9.0), "b": stream(-9.0, limit + 0.01)}, 0.05, 1).alarm


def test_a_stream_that_ends_sooner_keeps_its_last_value():
    assert verdict_of({"a": stream(9.0), "b": stream(0.0, 9.0)}, 0.05, 1).log_e == pytest.approx(9)


def test_no_streams_raise_no_alarm():
    assert verdict_of({}, 0.05, 1).worst is None
    assert not verdict_of({}, 0.05, 1).alarm


def test_more_waves_and_more_streams_ask_for_more_evidence():
    assert alarm_at(1, 1, 0.05) < alarm_at(2, 1, 0.05) < alarm_at(2, 2, 0.05) < alarm_at(2, 2, 0.01)


def test_pooled_controls_add_up_where_any_was_scraped():
    assert pooled([(1.0, None, None), (2.0, 3.0, None)]) == (3, 3, None)


def test_numpy_is_not_loaded_before_there_is_something_to_test():
    code = "import sys, orchestrator.analysis.sequential; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
