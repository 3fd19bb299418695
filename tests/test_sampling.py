"""A sample holds every kind, is the same each time, and is everything where everything is asked for."""

from faulty_port import FaultyPort, counted
from sampling import sampled
from stage import Stage, work

CASES = [(kind, number) for kind in "abc" for number in range(10)] + [("rare", 0)]


def kind(case):
    return case[0]


def test_a_sample_holds_every_kind_in_order():
    found = sampled(CASES, kind, full=False)
    assert [kind(c) for c in found] == ["a", "b", "c", "rare"]
    assert [kind(c) for c in sampled(CASES, kind, each=2, full=False)] == [*"aabbcc", "rare"]


def test_a_sample_is_the_same_each_time_and_another_for_another_seed():
    drawn = [tuple(sampled(CASES, kind, seed, full=False)) for seed in ("one", "one", "another", "third")]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 1


def test_everything_is_played_where_everything_is_asked_for():
    assert sampled(CASES, kind, full=True) == CASES


def test_ways_tell_the_steps_apart_and_not_the_namespaces():
    stage = Stage()
    made = counted("create", kind="NetworkPolicy", dry_run=False)
    work(stage.context(FaultyPort(stage.cluster, made)), "worker")
    assert {call.namespace for call in made.seen} == {"cart", "pay", "web"}
    assert len({call.way for call in made.seen}) == 1
    assert any("apply" in function for function in made.way(1))
