"""Counters become disjoint increments, whatever happens to the processes and scrapes behind them."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.sequential.counters import increments

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    labels: dict
    value: float
    time: datetime


def at(second, value, namespace="shop", pod="a"):
    return Seen({"namespace": namespace, "pod": pod}, value, START + timedelta(seconds=second))


def grown(samples, count=3):
    return increments(samples, START, 10, count).get("shop")


def test_a_counter_becomes_what_it_grew_by_in_each_interval():
    assert grown([at(0, 100), at(10, 103), at(20, 103), at(30, 110)]) == (3, 0, 7)


def test_the_pods_of_a_namespace_add_up_and_namespaces_stay_apart():
    samples = [
        at(0, 1),
        at(10, 2),
        at(0, 5, pod="b"),
        at(10, 9, pod="b"),
        at(0, 0, "bank"),
        at(10, 1, "bank"),
    ]
    assert increments(samples, START, 10, 1) == {"shop": (5,), "bank": (1,)}


def test_a_reset_counts_from_zero_for_the_pod_that_restarted_alone():
    samples = [at(0, 100), at(10, 4), at(0, 7, pod="b"), at(10, 8, pod="b")]
    assert grown(samples, 1) == (5,)


def test_a_lost_scrape_is_no_data_and_its_growth_lands_where_the_series_is_back():
    assert grown([at(0, 100), at(10, 101), at(30, 109)]) == (1, None, 8)


def test_a_series_that_appears_later_counts_from_zero():
    assert grown([at(0, 100), at(10, 100), at(20, 100), at(20, 6, pod="new"), at(30, 100)]) == (0, 6, 0)


def test_a_series_that_ends_takes_nothing_back():
    assert grown([at(0, 9, pod="old"), at(10, 10, pod="old"), at(0, 1), at(10, 2), at(20, 3)]) == (2, 1, None)


def test_what_was_before_the_grid_is_where_counting_begins():
    assert grown([at(-20, 50), at(-10, 60), at(10, 61)], 1) == (1,)


def test_several_scrapes_within_an_interval_add_up():
    assert grown([at(0, 0), at(5, 2), at(10, 3), at(12, 1), at(20, 4)], 2) == (3, 4)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -1.0])
def test_values_that_no_counter_can_have_are_ignored(odd):
    assert grown([at(0, 1), at(10, odd), at(20, 4)], 2) == (None, 3)


def test_samples_without_a_namespace_belong_to_the_one_that_was_asked_for():
    bare = [Seen({}, 1, START), Seen({}, 3, START + timedelta(seconds=10))]
    assert increments(bare, START, 10, 1, namespace="shop") == {"shop": (2,)}


def test_nothing_scraped_is_an_empty_answer_not_zero():
    assert increments([], START, 10, 3) == {}


def test_a_step_that_floats_cannot_hold_still_puts_each_grid_point_into_its_own_interval():
    points = [Seen({"namespace": "shop"}, i, START + timedelta(seconds=i * 0.1)) for i in range(31)]
    assert increments(points, START, 0.1, 30)["shop"] == (1.0,) * 30


@pytest.mark.parametrize(("step", "count"), [(0, 1), (-1, 1), (10, 0)])
def test_an_empty_grid_is_refused(step, count):
    with pytest.raises(ValueError, match="empty"):
        increments([], START, step, count)


SCRAPES = st.lists(
    st.builds(
        at, st.integers(-20, 60), st.integers(0, 50), st.sampled_from(["shop", "bank"]), st.sampled_from("ab")
    ),
    max_size=30,
)


@given(SCRAPES, st.randoms(use_true_random=False))
def test_neither_order_of_arrival_nor_duplicates_matter(samples, random):
    shuffled = [*samples, *samples[: len(samples) // 2]]
    random.shuffle(shuffled)
    assert increments(shuffled, START, 10, 5) == increments(samples, START, 10, 5)


@given(st.lists(st.integers(0, 20), min_size=5, max_size=5), st.sets(st.integers(1, 4)))
def test_lost_scrapes_move_growth_to_later_intervals_but_lose_none_of_it(steps, lost):
    values = [sum(steps[:i]) for i in range(6)]
    kept = [at(10 * i, value) for i, value in enumerate(values) if i not in lost]
    assert sum(x for x in grown(kept, 5) if x is not None) == values[-1]


@given(SCRAPES, st.integers(1, 5))
def test_what_is_known_at_one_look_is_still_so_at_the_next(samples, count):
    early = increments(
        [s for s in samples if s.time <= START + timedelta(seconds=10 * count)], START, 10, count
    )
    late = increments(samples, START, 10, 6)
    for name, values in early.items():
        assert late[name][:count] == values
