"""Wherever a worker dies, whatever strangers do meanwhile: the next one finds its way to `before` or to `after`."""

import random

import pytest
from faulty_port import FaultyPort, Killed, kills
from stage import Stage, policy

from orchestrator.context import POLICY
from orchestrator.policy.writes.bridges import BRIDGE_LABEL, bridge_tag
from orchestrator.rollout.resources import objects
from orchestrator.writing.converge import Drift, converge
from orchestrator.writing.frozen_walk import Frozen

SPACE, ROLLOUT = "cart", "shop-cccccccccc"
SEEDS = 25
SELECTORS = [{}, {"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}, {"matchLabels": {"tier": "m"}}]
RULES = [[], [{}], [{"ports": [{"port": 80}]}], [{"from": [{"podSelector": {}}]}]]


def spec(dice):
    sides = dice.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    found = {"podSelector": dice.choice(SELECTORS), "policyTypes": sides}
    for side in sides:
        rules = dice.choice(RULES)
        part = side.lower()
        found[part] = [
            {k.replace("from", "to") if part == "egress" else k: v for k, v in r.items()} for r in rules
        ]
    return found


class Place:
    """A namespace with a change that is half on its way, and strangers in it."""

    def __init__(self, seed):
        self.dice, self.cluster = random.Random(seed), Stage().cluster
        for obj in self.cluster.list(POLICY, SPACE):
            self.cluster.delete(POLICY, obj["metadata"]["name"], SPACE, uid="", resource_version="")
        names = "pqrs"
        self.before = [policy(n, spec(self.dice), SPACE) for n in names if self.dice.random() < 0.6]
        self.after = [policy(n, spec(self.dice), SPACE) for n in names if self.dice.random() < 0.6]
        self.others = 0
        for obj in self.before:
            self.cluster.create(obj)
        self.before = [objects.bare(o) for o in self.cluster.list(POLICY, SPACE)]
        self.frozen, self.touched = [], False
        for _ in range(self.dice.randrange(3)):
            self.appear()

    def appear(self):
        self.others += 1
        self.cluster.create(policy(f"theirs-{self.others}", spec(self.dice), SPACE))

    def theirs(self):
        return {n: o for n, o in self.live().items() if n.startswith("theirs")}

    def live(self):
        return {o["metadata"]["name"]: o for o in self.cluster.list(POLICY, SPACE)}

    def bridges(self):
        return [
            o
            for o in self.live().values()
            if bridge_tag(o) or BRIDGE_LABEL in (o["metadata"].get("labels") or {})
        ]

    def stranger(self):
        """Somebody adds, changes or deletes what is theirs, or spoils a bridge, or, seldom, what is of the change."""
        mine = [o for n, o in self.live().items() if n in "pqrs"]
        some = ["appear", "vanish", "rewrite", "bridge", "bridge", "ours" if mine else "appear"]
        what = self.dice.choice(some)
        if what == "appear":
            self.appear()
        elif what in ("vanish", "rewrite") and self.theirs():
            obj = self.dice.choice(list(self.theirs().values()))
            self._spoil(obj, what == "vanish")
        elif what == "bridge" and self.bridges():
            obj = self.dice.choice(self.bridges())
            labels = self.dice.choice([{}, {BRIDGE_LABEL: "0123456789"}, {"a": "b"}])
            if self.dice.random() < 0.5:
                self.cluster.replace({**obj, "metadata": {**obj["metadata"], "labels": labels}})
            else:
                self._spoil(obj, self.dice.random() < 0.5)
        elif what == "ours" and self.dice.random() < 0.5:
            self.touched = True
            self._spoil(self.dice.choice(mine), self.dice.random() < 0.5)

    def _spoil(self, obj, vanish):
        if vanish:
            self.cluster.delete(POLICY, obj["metadata"]["name"], SPACE, uid="", resource_version="")
        else:
            self.cluster.replace({**obj, "spec": spec(self.dice)})

    def walk(self, forward, at=0, after=False):
        """As one process does: until it is done, dies, or finds something else there."""
        death = kills(at, after, "create", "replace", "delete")
        ctx = Stage().context(FaultyPort(self.cluster, death))
        for _ in range(6):
            kept = Frozen(list(self.frozen), self.keep)
            try:
                if not converge(ctx, SPACE, self.before, self.after, ROLLOUT, forward=forward, frozen=kept):
                    return "done"
            except Drift:
                return "drift"
            except Killed:
                return "killed"
        raise AssertionError("it never ends")

    def keep(self, texts):
        self.frozen = texts

    def mine(self):
        return {n: o["spec"] for n, o in self.live().items() if not n.startswith("theirs")}


def wanted(some):
    return {o["metadata"]["name"]: policy("x", o["spec"])["spec"] for o in some}


def same(place, some):
    fresh = Stage().cluster
    for obj in fresh.list(POLICY, SPACE):
        fresh.delete(POLICY, obj["metadata"]["name"], SPACE, uid="", resource_version="")
    for obj in some:
        fresh.create({**objects.bare(obj)})
    return place.mine() == {o["metadata"]["name"]: o["spec"] for o in fresh.list(POLICY, SPACE)}


@pytest.mark.parametrize("part", range(4))
def test_from_wherever_strangers_and_deaths_left_it_the_next_process_ends_at_one_end(part):
    for seed in range(part * SEEDS, (part + 1) * SEEDS):
        place = Place(seed)
        for _ in range(place.dice.randrange(1, 5)):
            end = place.walk(place.dice.random() < 0.7, place.dice.randrange(1, 9), place.dice.random() < 0.5)
            if end == "drift":
                assert place.touched and not place.bridges(), seed
            for _ in range(place.dice.randrange(3)):
                place.stranger()
        theirs = place.theirs()
        if place.dice.random() < 0.5 and not place.touched:
            assert place.walk(True) == "done" and same(place, place.after), seed
        else:
            assert place.walk(False) == "done" and same(place, place.before), seed
        assert place.theirs() == theirs and not place.bridges(), seed
