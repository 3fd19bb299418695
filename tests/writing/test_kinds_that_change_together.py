"""A namespace whose policies change their kind is closed after every single write, forwards, back, and after a death."""

import pytest
from faulty_port import FaultyPort, Killed, just_after, kills
from stage import Stage, policy

from orchestrator.context import POLICY
from orchestrator.ports import Kind
from orchestrator.rollout.resources.objects import by_key
from orchestrator.writing.converge import converge, standing
from orchestrator.writing.frozen_walk import Frozen
from orchestrator.writing.walk import path

SPACE, ROLLOUT = "cart", "shop-cccccccccc"
CILIUMS = Kind("cilium.io/v2", "CiliumNetworkPolicy")
WRITES = ("create", "replace", "delete")
DENY = {"podSelector": {}, "policyTypes": ["Ingress"]}


def ciliums(name, **spec):
    meta = {"name": name, "namespace": SPACE}
    return {
        "apiVersion": CILIUMS.api_version,
        "kind": CILIUMS.kind,
        "metadata": meta,
        "spec": {"endpointSelector": {}, "ingress": [{}], **spec},
    }


def kubernetes(name):
    return policy(name, DENY, SPACE)


def names(states):
    return [sorted(f"{kind[:1]} {name}" for _, kind, name in state) for state in states]


MOVES = [([kubernetes("a")], [ciliums("a")]), ([ciliums("a")], [kubernetes("a")])]


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_a_rule_that_moves_to_another_kind_stands_in_both_meanwhile(before, after):
    states = path(SPACE, by_key(before), by_key(after), {}, ROLLOUT)
    assert [len(state) for state in states] == [1, 2, 1]


def test_of_one_kind_what_is_new_comes_before_what_changes_and_before_what_goes():
    before, after = [ciliums("m"), ciliums("z")], [ciliums("n"), ciliums("m", egress=[{}])]
    walked = path(SPACE, by_key(before), by_key(after), {}, ROLLOUT)
    assert names(walked) == [["C m", "C z"], ["C m", "C n", "C z"], ["C m", "C n", "C z"], ["C m", "C n"]]


class Place:
    """A namespace that stands at `before`, and what stood there after each write."""

    def __init__(self, before, after):
        self.cluster, self.seen, self.frozen = Stage().cluster, [], []
        for obj in self.cluster.list(POLICY, SPACE):
            self.cluster.delete(POLICY, obj["metadata"]["name"], SPACE, uid="", resource_version="")
        for obj in before:
            self.cluster.create(obj)
        self.ends = before, after

    def live(self):
        return sorted(
            (k.kind, o["metadata"]["name"]) for k in (POLICY, CILIUMS) for o in self.cluster.list(k, SPACE)
        )

    def walk(self, forward, *faults):
        watched = just_after(lambda call: self.seen.append(self.live()) or call.answer, *WRITES)
        ctx = Stage().context(FaultyPort(self.cluster, watched, *faults))
        kept = Frozen(list(self.frozen), lambda texts: setattr(self, "frozen", texts))
        converge(ctx, SPACE, *self.ends, ROLLOUT, forward=forward, frozen=kept)
        return sorted(standing(ctx, SPACE, [POLICY, CILIUMS]))


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize(("before", "after"), MOVES)
def test_wherever_a_worker_dies_the_next_one_takes_the_same_way(before, after, at, late, forward):
    place = Place(before, after)
    with pytest.raises(Killed):
        place.walk(True, kills(at, late, *WRITES))
    assert place.walk(forward) == sorted(by_key(after if forward else before))
    assert all(place.seen), place.seen
    place.walk(False)
    assert all(place.seen) and place.walk(False) == sorted(by_key(before))
