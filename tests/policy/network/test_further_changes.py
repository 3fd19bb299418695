"""A change of a CNI's own policies touches what it can touch, and asks no more addresses than its rules tell apart."""

import pytest
from written import plain

from orchestrator.cli.policies.diff import _identity
from orchestrator.planning.forecast import unworkable
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.connection_diff import changes, touched
from orchestrator.policy.network.connections import reach
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.workloads.fleet import fleet

SPACES = ("hooks", "prod", "shop")
NOBODY = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "GlobalNetworkPolicy",
    "metadata": {"name": "nobody"},
    "spec": {"selector": "no == 'body'", "ingress": [{"action": "Allow"}]},
}
CLUSTERWIDE = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumClusterwideNetworkPolicy",
    "metadata": {"name": "nobody"},
    "spec": {"endpointSelector": {"matchLabels": {"no": "body"}}, "ingress": [{}]},
}


def pod(space, name, **spec):
    meta = {"name": name, "namespace": space, "labels": {"app": name}}
    status = {"podIP": "10.9.0.1" if spec else "10.0.0.1", "hostIP": "10.9.0.1"}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [], **spec}, "status": status
    }  # fmt: skip


def namespace(name, team):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": team}}}


def cilium(space, **spec):
    meta = {"name": "web", "namespace": space}
    given = {"endpointSelector": {}, "ingress": [{}], **spec}
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": given}


def policy(space):
    spec = {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}
    meta = {"name": "web", "namespace": space}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def endpoint_slice(number):
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"s-{number}",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": f"s{number}"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [f"10.1.{number}.7"]}],
        "ports": [{"port": 80, "protocol": "TCP"}],
    }


def cilium_node(number):
    spec = {"health": {"ipv4": f"10.2.{number}.1"}, "ingress": {"ipv4": f"10.2.{number}.2"}}
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": f"n{number}"},
        "spec": spec,
    }


def made(*objects):
    pods = [pod(space, name) for space in SPACES for name in ("a", "b")]
    return fleet(Document(o, "all.yaml", n) for n, o in enumerate([*pods, *objects], 1))


@pytest.mark.parametrize(
    "objects",
    [
        [NOBODY, *map(endpoint_slice, range(160))],
        [cilium("shop"), *map(cilium_node, range(160))],
    ],
    ids=["endpoints", "nodes"],
)
def test_addresses_that_no_rule_names_are_told_apart_by_none(objects):
    assert len(ranges(made(*objects))) == 1


def test_addresses_of_a_service_are_told_apart_where_a_rule_names_it():
    rule = {"action": "Allow", "destination": {"services": {"name": "s3", "namespace": "shop"}}}
    asked = {**NOBODY, "spec": {"egress": [rule]}}
    assert len(ranges(made(asked, *map(endpoint_slice, range(5))))) == 3


def test_a_policy_of_one_namespace_touches_that_one():
    old, new = (
        made(cilium("shop"), cilium("prod")),
        made(cilium("shop"), cilium("prod", ingress=[{"fromEntities": ["world"]}])),
    )
    assert touched(old, new) == {"prod"}
    assert {c.dst.name.partition("/")[0] for c in changes(old, new)} == {"prod"}
    assert touched(made(cilium("shop")), made(cilium("shop"), CLUSTERWIDE)) is None
    assert touched(made(cilium("shop")), made(cilium("shop"), NOBODY)) == set()  # Cilium does not enforce it


def test_a_policy_of_several_specs_is_compared_as_others_are():
    one = {"endpointSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]}
    other = {"endpointSelector": {}, "ingress": [{"fromEntities": ["world"]}]}
    old, new = (
        {k: v for k, v in cilium("prod").items() if k != "spec"} | {"specs": s} for s in ([one], [one, other])
    )
    found = changes(made(old), made(new))
    assert {c.because for c in found} == {
        (
            "before, Ingress: CiliumNetworkPolicy prod/web: no rule allows it (all.yaml:7)",
            "after, Ingress: CiliumNetworkPolicy prod/web specs[1].ingress[0] (all.yaml:7)",
        )
    }
    assert changes(made(new), made(new)) == []


def test_an_address_of_a_service_is_found_however_it_is_written():
    there = pod("prod", "six")
    there["status"] = {"podIP": "fd00::1"}
    slices = {**endpoint_slice(3), "addressType": "IPv6", "endpoints": [{"addresses": ["FD00:0:0::0001"]}]}
    rule = {
        "action": "Allow",
        "protocol": "TCP",
        "destination": {"services": {"name": "s3", "namespace": "shop"}},
    }
    net = made(there, slices, {**NOBODY, "spec": {"selector": "app == 'a'", "egress": [rule]}}).network()
    pods = {p.name: p for p in made(there).within("prod")}
    assert net.allowed(pods["a"], pods["six"], "TCP", 80)
    assert not net.allowed(pods["a"], pods["b"], "TCP", 80)


def test_a_range_that_begins_with_a_node_is_not_taken_for_it():
    """A pod lets its own node in whatever policies say, and nobody else beside it."""
    shut = policy("shop")
    shut["spec"] = {"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/32"}}]}]}
    found = {(c.src.name, c.dst.name) for c in reach(made(shut)) if c.dst.name == "shop/a[Pod]"}
    assert found == {("10.9.0.1-10.9.0.1[External]", "shop/a[Pod]")}


def test_a_set_of_networks_goes_by_the_labels_of_its_namespace_for_pods_of_any():
    nets = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "NetworkSet",
        "metadata": {"name": "offices", "namespace": "prod"},
        "spec": {"nets": ["198.51.100.0/24"]},
    }
    rule = {"action": "Allow", "destination": {"namespaceSelector": "team == 'red'"}}
    asked = {**NOBODY, "spec": {"namespaceSelector": "projectcalico.org/name == 'shop'", "egress": [rule]}}
    old, new = (made(namespace("prod", team), nets, asked) for team in ("red", "blue"))
    assert {c.src.name for c in changes(old, new)} == {"shop/a[Pod]", "shop/b[Pod]"}


def test_labels_of_nodes_bear_on_every_namespace():
    rule = {
        "action": "Deny",
        "to": [{"nodes": {"matchLabels": {"pool": "control"}}}, {"networks": ["10.8.0.1/32"]}],
    }
    spec = {"priority": 1, "subject": {"namespaces": {}}, "egress": [rule]}
    admin = plain("AdminNetworkPolicy", "nodes", spec)
    status = {"addresses": [{"type": "InternalIP", "address": "10.8.0.2"}]}
    old, new = (
        made(admin, plain("Node", "n", labels={"pool": p}, status=status)) for p in ("work", "control")
    )
    assert touched(old, new) is None
    assert {c.dst.name for c in changes(old, new)} == {"10.8.0.2-10.8.0.2[External]"}


def test_the_bound_of_work_counts_all_pods_where_anything_may_change(monkeypatch):
    monkeypatch.setattr("orchestrator.planning.forecast.MOST_WORK", 20)
    assert unworkable(made(cilium("shop")), made(cilium("shop", ingress=[{}, {}])), ["shop"]) == ""
    assert "too many" in unworkable(made(cilium("shop")), made(cilium("shop"), CLUSTERWIDE), ["shop"])


def test_the_first_policy_of_a_cni_changes_nothing_elsewhere():
    """Both states are asked as that CNI does, not one as another."""
    exporter = pod("shop", "exporter", hostNetwork=True)
    both = [exporter, policy("prod")]
    found = changes(made(*both), made(*both, cilium("hooks")))
    assert found and all("hooks/" in c.dst.name for c in found)


def test_policies_of_one_name_in_two_groups_are_two():
    calicos = {**policy("prod"), "apiVersion": "projectcalico.org/v3"}
    assert _identity(Document(policy("prod"), "a", 1)) != _identity(Document(calicos, "a", 1))
