"""What is refused in the objects of cilium.io is named by the field at which the API server or Cilium's agent refuses it."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from orchestrator.policy.schemas.acceptable import objections
from orchestrator.policy.schemas.cilium_schema import cilium_problems

SHARED = Path(__file__).parents[4] / "shared" / "policies"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared policies are not beside this clone")
DNS = {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*.example.org"}]}}
HTTP = {"ports": [{"port": "80", "protocol": "TCP"}], "rules": {"http": [{"method": "GET", "path": "/"}]}}
GOOD = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "x", "namespace": "shop"},
    "spec": {
        "description": "what it is for",
        "endpointSelector": {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop", "any:app": "db"}},
        "enableDefaultDeny": {"ingress": False},
        "ingress": [
            {"fromEndpoints": [{"matchLabels": {"reserved:host": ""}}, {}], "toPorts": [HTTP]},
            {"fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.1.2.3/16"]}, {"cidrGroupRef": "offices"}]},
            {"fromEntities": ["cluster"], "icmps": [{"fields": [{"type": 8}, {"type": "EchoReply"}]}]},
            {"fromEndpoints": [{}], "authentication": {"mode": "required"}},
        ],
        "ingressDeny": [{}],
        "egress": [
            {"toFQDNs": [{"matchName": "a.example.org."}], "toPorts": [{"ports": [{"port": "https"}]}]},
            {"toPorts": [DNS, {"ports": [{"port": "8000", "endPort": 8010, "protocol": "UDP"}]}]},
            {"toServices": [{"k8sService": {"serviceName": "db"}}]},
        ],
    },
}


def changed(path, value):
    found = deepcopy(GOOD)
    at = found
    for key in path[:-1]:
        at = at[key]
    if value is None:
        at.pop(path[-1], None)
    else:
        at[path[-1]] = value
    return found


def fields(obj):
    return [text.partition(": ")[0] for text in objections(obj)]


def test_a_policy_with_every_kind_of_rule_is_taken():
    assert fields(GOOD) == []


INTO = ("spec", "ingress", 0)
OUT = ("spec", "egress", 0)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("spec", "endpointSelector"), None, "spec.endpointSelector"),
        (("spec", "nodeSelector"), {}, "spec.nodeSelector"),
        (("spec", "ingres"), [], "spec.ingres"),
        (("spec", "enableDefaultDeny"), {"ingress": "no"}, "spec.enableDefaultDeny.ingress"),
        (("spec", "ingress", 2, "fromEntities"), ["internet"], "spec.ingress[2].fromEntities[0]"),
        ((*INTO, "fromEntities"), ["world"], "spec.ingress[0].fromEntities"),
        ((*INTO, "toEndpoints"), [{}], "spec.ingress[0].toEndpoints"),
        ((*INTO, "fromRequires"), [{}], "spec.ingress[0].fromRequires"),
        ((*INTO, "icmps"), [{"fields": [{"type": 8}]}], "spec.ingress[0].icmps"),
        ((*INTO, "toPorts"), [DNS], "spec.ingress[0].toPorts[0].rules.dns"),
        (
            (*INTO, "toPorts", 0, "ports", 0, "protocol"),
            "UDP",
            "spec.ingress[0].toPorts[0].ports[0].protocol",
        ),
        ((*INTO, "toPorts", 0, "ports", 0, "protocol"), None, "spec.ingress[0].toPorts[0].ports[0]"),
        ((*INTO, "toPorts", 0, "ports", 0, "port"), "0", "spec.ingress[0].toPorts[0].ports[0].port"),
        ((*INTO, "toPorts", 0, "ports", 0, "port"), 80, "spec.ingress[0].toPorts[0].ports[0].port"),
        ((*INTO, "toPorts", 0, "ports", 0, "port"), "65536", "spec.ingress[0].toPorts[0].ports[0].port"),
        ((*INTO, "toPorts", 0, "ports", 0, "port"), "a_b", "spec.ingress[0].toPorts[0].ports[0].port"),
        ((*INTO, "toPorts", 0, "serverNames"), ["a.org"], "spec.ingress[0].toPorts[0].serverNames"),
        (
            (*INTO, "toPorts", 0, "rules"),
            {"http": [{}], "dns": []},
            "spec.ingress[0].toPorts[0].rules",
        ),
        ((*INTO, "toPorts", 0, "rules"), {"l7": [{}]}, "spec.ingress[0].toPorts[0].rules.l7"),
        (
            (*INTO, "toPorts", 0, "ports"),
            [{"port": str(n), "protocol": "TCP"} for n in range(1, 42)],
            "spec.ingress[0].toPorts[0].ports",
        ),
        (
            ("spec", "ingress", 1, "fromCIDRSet", 0, "except"),
            ["11.0.0.0/16"],
            "spec.ingress[1].fromCIDRSet[0].except[0]",
        ),
        (
            ("spec", "ingress", 1, "fromCIDRSet", 0, "except"),
            ["2001:db8::/64"],
            "spec.ingress[1].fromCIDRSet[0].except[0]",
        ),
        (
            ("spec", "ingress", 1, "fromCIDRSet", 0, "cidr"),
            "10.0.0.0/33",
            "spec.ingress[1].fromCIDRSet[0].cidr",
        ),
        (("spec", "ingress", 1, "fromCIDRSet", 0), {"except": []}, "spec.ingress[1].fromCIDRSet[0]"),
        (
            ("spec", "ingress", 2, "icmps", 0, "fields", 0, "type"),
            256,
            "spec.ingress[2].icmps[0].fields[0].type",
        ),
        (
            ("spec", "ingress", 2, "icmps", 0, "fields", 0, "type"),
            "Ping",
            "spec.ingress[2].icmps[0].fields[0].type",
        ),
        (("spec", "ingress", 3, "authentication"), {}, "spec.ingress[3].authentication.mode"),
        (("spec", "ingressDeny", 0), {"toPorts": [HTTP]}, "spec.ingressDeny[0].toPorts[0].rules"),
        (
            ("spec", "ingressDeny", 0),
            {"authentication": {"mode": "required"}},
            "spec.ingressDeny[0].authentication",
        ),
        (("spec", "egressDeny"), [{"toFQDNs": [{"matchName": "a.org"}]}], "spec.egressDeny[0].toFQDNs"),
        ((*OUT, "toEntities"), ["world"], "spec.egress[0].toEntities"),
        ((*OUT, "toFQDNs"), [{}], "spec.egress[0].toFQDNs[0]"),
        ((*OUT, "toFQDNs"), [{"matchName": "*.org"}], "spec.egress[0].toFQDNs[0].matchName"),
        (
            ("spec", "egress", 1, "toPorts", 0, "ports"),
            [],
            "spec.egress[1].toPorts[0].ports",
        ),
        (
            ("spec", "egress", 1, "toPorts", 0, "ports"),
            [{"port": "53", "endPort": 60}],
            "spec.egress[1].toPorts[0].ports[0].endPort",
        ),
        (("spec", "egress", 2, "toServices"), [{}], "spec.egress[2].toServices[0]"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(path, value, field):
    assert fields(changed(path, value)) == [field]


def test_a_policy_without_any_rule_is_refused_since_cilium_ignores_it():
    spec = {"endpointSelector": {}, "ingress": [], "egress": []}
    assert fields({**GOOD, "spec": spec}) == ["spec"]


def test_one_bad_entry_of_specs_refuses_the_object_whatever_the_others_say():
    spec = {"endpointSelector": {}, "ingress": [{}]}
    whole = {**GOOD, "spec": spec, "specs": [spec, {**spec, "egress": [{"toEntities": ["nobody"]}]}]}
    assert fields(whole) == ["specs[1].egress[0].toEntities[0]"]


def test_a_clusterwide_policy_selects_pods_or_nodes_and_no_proxy_decides_for_nodes():
    wide = {**GOOD, "kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": "x"}}
    nodes = {"nodeSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]}
    assert fields(wide) == fields({**wide, "spec": nodes}) == []
    assert fields({**wide, "spec": {**nodes, "endpointSelector": {}}}) == ["spec"]
    assert fields({**wide, "spec": {**nodes, "ingress": [{"toPorts": [HTTP]}]}}) == [
        "spec.ingress[0].toPorts"
    ]
    assert fields({**wide, "spec": None}) == ["spec"]


def test_a_group_of_cidrs_holds_blocks_alone():
    group = {"apiVersion": "cilium.io/v2", "kind": "CiliumCIDRGroup", "metadata": {"name": "offices"}}
    assert fields({**group, "spec": {"externalCIDRs": ["203.0.113.0/24"]}}) == []
    assert fields({**group, "spec": {"externalCIDRs": ["203.0.113.1"]}}) == ["spec.externalCIDRs[0]"]
    assert fields({**group, "spec": {}}) == ["spec.externalCIDRs"]


@pytest.mark.parametrize("value", [None, [], "text", 7, {"a": 1}, [None], [[]]])
@pytest.mark.parametrize("name", ["endpointSelector", "ingress", "egressDeny", "enableDefaultDeny", "labels"])
def test_odd_shapes_are_told_and_break_nothing(name, value):
    list(objections(changed(("spec", name), value)))
    rule = {"fromEndpoints": value, "toPorts": value, "icmps": value, "authentication": value}
    list(objections(changed(("spec", "ingress"), [rule])))
    list(objections(changed(("spec", "egress"), [{"toPorts": [{"ports": value, "rules": value}]}])))
    list(objections({**GOOD, "spec": value, "specs": value}))


@needs_shared
@pytest.mark.parametrize("folder", ["cilium", "cilium-options"])
def test_of_the_shared_cases_those_are_refused_that_they_list(folder):
    paths = sorted(SHARED.glob(f"{folder}/*.json"))
    assert paths
    for path in paths:
        case = json.loads(path.read_text())
        for obj in [*case["ciliumPolicies"], *(case.get("cidrGroups") or ())]:
            meta = obj["metadata"]
            name = "/".join(filter(None, (obj["kind"], meta.get("namespace"), meta["name"])))
            assert bool(cilium_problems(obj)) == (name in (case.get("invalid") or ())), (path.name, name)
