"""On random policies: what is translated means the same, there and back again, and what is refused is a field of its policy."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_sources import (
    OUTSIDE,
    admin_policies,
    calico_policies,
    cilium_policies,
    documents,
    network_policies,
    odd_calico,
    odd_cilium,
)
from sampling import FULL

from orchestrator.policy.files.field_places import Places
from orchestrator.policy.objects import port_sets
from orchestrator.policy.schemas.acceptable import objections
from orchestrator.policy.schemas.policy_kinds import CILIUM, TIERED, is_policy
from orchestrator.policy.translate.translation import translated
from orchestrator.policy.workloads.comparable import asked_alike
from orchestrator.policy.workloads.fleet import fleet

SOURCES = {
    "networkpolicy": network_policies,
    "cilium": cilium_policies,
    "cilium, odd": odd_cilium,
    "calico": calico_policies,
    "calico, odd": odd_calico,
    "anp": admin_policies,
}
TARGETS = ("networkpolicy", "cilium", "calico", "anp")
WAYS = [(s, t) for s, t in product(SOURCES, TARGETS) if not s.startswith(t)]
few = settings(max_examples=25 if FULL else 8, deadline=None, suppress_health_check=list(HealthCheck))


def answers(given_fleet):
    """Every port, and message, of every pair of pods, and of each pod with some addresses."""
    net, pods = (
        given_fleet.network(),
        {f"{w.pod.namespace}/{w.pod.name}": w.pod for w in given_fleet.workloads},
    )
    ends = {**pods, **{a: a for a in OUTSIDE}}
    return {
        (one, other): net.over_ports(ends[one], ends[other], _possible(one, other))
        for one, other in product(ends, ends)
        if one in pods or other in pods
    }


def _possible(*names):
    """No message of IPv4 goes to an address of IPv6."""
    if not any(":" in name for name in names):
        return port_sets.ANY & ~port_sets.icmp("ICMPv6") if {*names} & {*OUTSIDE} else port_sets.ANY
    return port_sets.ANY & ~port_sets.icmp("ICMP")


def differing(before, after):
    """The pairs that are answered otherwise afterwards."""
    old, new = fleet(before), fleet(after)
    if old.order == CILIUM and new.of_cluster:
        new = replace(new, asked_as=TIERED)  # the policies go to a cluster with another CNI
    old, new = map(answers, asked_alike(old, new))
    return {pair for pair in old if old[pair] != new[pair]}


def replaced(before, found):
    return [*(d for d in before if not is_policy(d.obj)), *found.documents]


def of(policies):
    found = documents(policies)
    return found, [d for d in found if is_policy(d.obj)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("source", "target"), WAYS)
@few
@given(data=st.data())
def test_what_is_translated_means_the_same_and_what_is_refused_is_a_field(source, target, data):
    everything, policies = of(data.draw(SOURCES[source]))
    assume(policies)
    found = translated(policies, target)
    if found.refused:
        for remark in found.refused:
            files = {remark.document.path: remark.document.text}
            place = Places(files, read=True).at(remark.document.where, remark.subject, remark.field)
            assert place is not None, (remark.field, remark.document.obj)
        return
    for made in found.made:
        assert not list(objections(made.obj)), made.obj
    assert not differing(everything, replaced(everything, found)), [d.obj for d in found.documents]


@pytest.mark.parametrize("target", ["cilium", "calico"])
@few
@given(policies=network_policies)
def test_network_policies_come_back_with_the_same_connections(target, policies):
    everything, given_policies = of(policies)
    assume(given_policies)
    there = translated(given_policies, target)
    assert not there.refused
    back = translated(there.documents, "networkpolicy")
    assert not back.refused
    assert not differing(everything, replaced(everything, back))
