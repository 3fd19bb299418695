"""On random fleets the evaluator answers what a plain reading of Cilium's documentation does, one connection at a time."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_cilium import allowed, refused
from narrowing import left_out, told_apart
from random_cilium import ASKED, OUTSIDE, PODS, worlds

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.pod import NamedPort, Pod
from orchestrator.policy.schemas.acceptable import objections

ENDS = {
    name: Pod(
        p["namespace"],
        p["name"],
        p["labels"],
        p["ip"],
        tuple(NamedPort(*port) for port in p["ports"]),
        p["node"],
        p["host"],
        account=p["account"],
    )
    for name, p in PODS.items()
}


def network(world, agent=None):
    of_kind = {}
    for policy in world["policies"]:
        of_kind.setdefault(policy["kind"], []).append(policy)
    groups = [
        {
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumCIDRGroup",
            "metadata": {"name": name},
            "spec": {"externalCIDRs": blocks},
        }
        for name, blocks in world["groups"].items()
    ]
    return Network(
        world["namespaces"],
        of_kind.pop("NetworkPolicy", []),
        of_kind.pop("ClusterNetworkPolicy", []),
        {"cilium": True},
        world["nodes"],
        [*groups, *(p for found in of_kind.values() for p in found)],
        agent or CiliumAgent(known=world["known"]),
    )


@pytest.mark.exhaustive
@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_every_connection_is_answered_as_a_plain_reading_does(world):
    for policy in world["policies"]:
        assert bool(list(objections(policy))) is refused(policy), policy
    world = {**world, "policies": [p for p in world["policies"] if not refused(p)]}
    net, names = network(world), [*ENDS, *OUTSIDE, *world["nodes"]]
    for one, other in product(names, names):
        if one in ENDS or other in ENDS:
            src, dst = ENDS.get(one, one), ENDS.get(other, other)
            found = net.over_ports(src, dst, port_sets.ANY)
            for protocol, port in ASKED:
                wanted = allowed(world, one, other, protocol, port)
                asked = port_sets.asked(protocol, port)
                assert (found & asked == asked) is wanted, (one, other, protocol, port)
                assert bool(found & asked) is wanted, (one, other, protocol, port)


@settings(max_examples=60, deadline=None)
@given(
    world=worlds, quirks=st.sampled_from(["", "1.20"]), over=st.frozensets(st.sampled_from(["pods", "nodes"]))
)
def test_nothing_is_left_out_and_no_address_taken_for_another(world, quirks, over):
    world = {**world, "policies": [p for p in world["policies"] if not refused(p)]}
    agent = CiliumAgent(known=world["known"], quirks=quirks, blocks_match=over)
    net, pods = network(world, agent), list(ENDS.values())
    hosts = [replace(pods[0], name="h", host_network=True), *pods]
    assert left_out(net, hosts) == []
    nodes = {*world["nodes"], *(p.node_ip for p in pods)}
    alone = {*nodes, *net.order.lone_addresses()}
    assert told_apart(net, pods, [*OUTSIDE, *world["nodes"], "2001:db8::1"], alone) == []
