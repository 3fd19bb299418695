"""After a split each pod decides as under all of the new policies, or all of the old ones, as a naive evaluator reads them."""

from dataclasses import replace
from itertools import product

import naive_calico
import naive_cilium
import naive_kubernetes
import pytest
import random_cilium
import random_kubernetes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_calico import SPACES
from random_kubernetes import selectors
from random_scopes import calico_change, changes, scopes
from sampling import FULL
from told_fleets import PLAIN, kubernetes_fleet

from orchestrator.policy.narrow.scopes import Unnarrowable, split
from orchestrator.policy.schemas.acceptable import objections

SO_MANY = 150 if FULL else 10
pytestmark = pytest.mark.exhaustive
SIDES = ("ingress", "egress")
OF_CALICO = selectors(app=["api", "ui", "db"], role=["front", "back", ""])
OF_CILIUM = random_cilium.policies.map(lambda found: [p for p in found if not any(objections(p))])


def sound(before, after, scope, beside=()):
    """The split, which any API takes, and which is the same whatever stands first."""
    found = split(before, after, scope, beside)
    assert [wrong for obj in found for wrong in objections(obj)] == []
    names = [(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in found]
    assert len(set(names)) == len(names)
    assert split(before[::-1], after[::-1], scope, beside) == found
    return found


def meant(scope, namespace, labels):
    """Whether a scope means a pod, as its text reads."""
    own = scope.namespaces is None or namespace in scope.namespaces
    return own and naive_kubernetes.selects(scope.selector, labels)


@settings(max_examples=SO_MANY, deadline=None)
@given(changes(random_kubernetes.policies, random_kubernetes.NAMESPACES, random_kubernetes.pods))
def test_pods_are_under_all_of_one_set_of_kubernetes_policies(drawn):
    before, after, beside, scope = drawn
    chosen = naive_kubernetes.Chosen(blocks_cover_pods=True, by_name=False)
    worlds = [
        naive_kubernetes.World(random_kubernetes.NAMESPACES, [*mine, *beside], random_kubernetes.NODES)
        for mine in (sound(before, after, scope), after, before)
    ]
    ends = [*random_kubernetes.PODS, *random_kubernetes.OUTSIDE]
    for pod, side, peer in product(random_kubernetes.PODS, SIDES, ends):
        whole = worlds[1 if meant(scope, pod.namespace, pod.labels) else 2]
        dst = pod if side == "ingress" else peer
        for asked in random_kubernetes.PORTS:
            told, wanted = (
                naive_kubernetes.at_end(world, chosen, side, pod, peer, dst, *asked)
                for world in (worlds[0], whole)
            )
            assert told == wanted, (pod.name, side, peer, asked)


@settings(max_examples=SO_MANY, deadline=None)
@given(
    changes(random_kubernetes.policies, random_kubernetes.NAMESPACES, random_kubernetes.pods),
    st.lists(
        st.tuples(*(st.sampled_from([*random_kubernetes.PODS, *random_kubernetes.OUTSIDE]),) * 2), max_size=6
    ),
    st.sampled_from([("TCP", 80), ("UDP", 53)]),
)
def test_nothing_depends_on_more_than_it_does_whole(drawn, pairs, asked):
    before, after, beside, scope = drawn
    found, *wholes = (
        kubernetes_fleet([*mine, *beside], known=True).network()
        for mine in (sound(before, after, scope), after, before)
    )
    for ends in pairs:
        sides = {meant(scope, end.namespace, end.labels) for end in ends if not isinstance(end, str)}
        if len(sides) == 1 and ends[0] is not ends[1]:
            told, wanted = (net.decide(*ends, *asked) for net in (found, wholes[0 if True in sides else 1]))
            assert (told.allowed, told.depends) == (wanted.allowed, wanted.depends), ends


@settings(max_examples=SO_MANY, deadline=None)
@given(
    random_cilium.worlds,
    changes(OF_CILIUM, random_cilium.NAMESPACES, random_cilium.labels),
)
def test_pods_are_under_all_of_one_set_of_ciliums_policies(world, drawn):
    before, after, beside, scope = drawn
    found, *wholes = (
        {**world, "policies": [*mine, *beside]} for mine in (sound(before, after, scope), after, before)
    )
    pods = [p for p in world["pods"].values() if not p["host"]]
    ends = [*pods, *world["nodes"], *random_cilium.OUTSIDE]
    for pod, side, peer in product(pods, SIDES, ends):
        kept = {k: v for k, v in pod["labels"].items() if not naive_cilium.LEFT_OUT.match(k)}
        whole = wholes[0 if meant(scope, pod["namespace"], kept) else 1]
        dst = pod if side == "ingress" else peer
        for asked in random_cilium.ASKED:
            told, wanted = (
                naive_cilium.at_end(world, side, pod, peer, dst, *asked) for world in (found, whole)
            )
            assert told is wanted, (pod["name"], side, peer, asked)


@settings(max_examples=SO_MANY * 2, deadline=None)
@given(st.integers(0, 100_000).map(calico_change), scopes(SPACES, OF_CALICO))
def test_pods_are_under_all_of_one_set_of_calicos_policies(drawn, scope):
    made, before, after, beside = drawn
    assume(not made.twice())
    try:
        found = sound(before, after, scope, beside)
    except Unnarrowable as error:
        assume("names say which comes first" not in str(error))
        raise
    fleets = [made.with_policies([*mine, *beside]) for mine in (found, after, before)]
    pods = [p for p in made.pods if naive_calico.is_workload(p)]
    asked = [*made.ports()]
    for pod, side, peer in product(pods, ("Ingress", "Egress"), [*made.pods, *made.known["outside"]]):
        whole = fleets[1 if meant(scope, pod.namespace, pod.labels) else 2]
        ends = (peer, pod) if side == "Ingress" else (pod, peer)
        for old_names, one in product((False, True), asked):
            world = replace(PLAIN, old_names=old_names)
            told, wanted = (
                naive_calico.Asked(fleet, world).end_allows(side, pod, naive_calico.Connection(*ends, *one))
                for fleet in (fleets[0], whole)
            )
            assert told is wanted, (pod.name, side, peer, one, old_names)
