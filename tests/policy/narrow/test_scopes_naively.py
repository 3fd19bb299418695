"""After a split each pod decides as under all of the new policies, or all of the old ones, as a naive evaluator reads them."""

from itertools import product

import naive_cilium
import naive_kubernetes
import pytest
import random_cilium
import random_kubernetes
from hypothesis import given, settings
from random_scopes import changes
from sampling import FULL

from orchestrator.policy.narrow.scopes import split
from orchestrator.policy.schemas.acceptable import objections

SO_MANY = 150 if FULL else 20
pytestmark = pytest.mark.exhaustive
SIDES = ("ingress", "egress")
OF_CILIUM = random_cilium.policies.map(lambda found: [p for p in found if not any(objections(p))])


def sound(before, after, scope):
    """The split, which any API takes, and which is the same whatever stands first."""
    found = split(before, after, scope)
    assert [wrong for obj in found for wrong in objections(obj)] == []
    names = [(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in found]
    assert len(set(names)) == len(names)
    assert split(before[::-1], after[::-1], scope) == found
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
