"""What Calico refuses is named by the field at which it is refused, and nothing else is refused."""

import json
import time
from copy import deepcopy
from pathlib import Path

import pytest

from orchestrator.policy.schemas.acceptable import objections
from orchestrator.policy.schemas.calico_schema import calico_problems, missing_tier
from orchestrator.policy.schemas.policy_kinds import checker

SHARED = Path(__file__).parents[4] / "shared" / "policies"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared policies are not beside this clone")


def wrong(*objects):
    """All that is found in objects that stand together."""
    tiers = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Tier"}
    return [text for obj in objects for text in (*calico_problems(obj), *missing_tier(obj, tiers))]


@needs_shared
def test_every_object_of_the_shared_cases_is_taken():
    paths = sorted(SHARED.glob("calico/*.json"))
    assert len(paths) > 60
    for path in paths:
        assert wrong(*json.loads(path.read_text())["calicoPolicies"]) == [], path.name


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("invalid/calico-*.json")), ids=lambda p: p.stem)
def test_the_shared_invalid_ones_are_refused_at_the_field_that_is_named(path):
    case = json.loads(path.read_text())
    found = wrong(*case["manifests"])
    assert any(text.startswith(case["field"]) for text in found), (case["field"], found)


RULE = {
    "action": "Allow",
    "ipVersion": 4,
    "protocol": "TCP",
    "notProtocol": 17,
    "http": {"methods": ["GET"], "paths": [{"exact": "/a"}, {"prefix": "/b"}]},
    "metadata": {"annotations": {"why": "asked for"}},
    "source": {
        "nets": ["10.0.0.0/8"],
        "notNets": ["10.1.0.0/16"],
        "selector": "app == 'web'",
        "notSelector": "has(old)",
        "namespaceSelector": "global( )",
        "serviceAccounts": {"names": ["a", "b"], "selector": "all()"},
        "ports": [1024, "2000:3000"],
    },
    "destination": {"ports": [80, "81", "8000:8090", "http"], "notPorts": ["8001"]},
}
GLOBAL = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "GlobalNetworkPolicy",
    "metadata": {"name": "sec.x", "labels": {"a": "b"}},
    "spec": {
        "tier": "sec",
        "order": -1.5,
        "selector": "all()",
        "namespaceSelector": "team == 'a'",
        "serviceAccountSelector": "",
        "types": ["Ingress", "Egress"],
        "applyOnForward": True,
        "doNotTrack": False,
        "performanceHints": ["AssumeNeededOnEveryNode"],
        "ingress": [RULE, {"action": "Log"}],
        "egress": [
            {"action": "Pass", "protocol": "ICMP", "icmp": {"type": 8, "code": 0}, "notICMP": {"type": 254}},
            {"action": "Deny", "destination": {"services": {"name": "s", "namespace": "n"}}},
        ],
    },
}
IN, OUT = ("ingress", 0), ("egress", 1)
FROM = (*IN, "source")
TO = (*IN, "destination")


def changed(path, value, whole=GLOBAL):
    found = deepcopy(whole)
    at = found["spec"]
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return found


def found_in(obj):
    return calico_problems(obj)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["order"], "ten", "spec.order: must be a number"),
        (["order"], float("nan"), "spec.order: must be a number"),
        (["order"], True, "spec.order: must be a number"),
        (["selector"], "global()", "spec.selector: global() is for the namespaceSelector of a rule alone"),
        (["selector"], "app = 'x'", "spec.selector: is no selector: '=' means nothing at character 5"),
        (["selector"], "(" * 1_000_000, "spec.selector: is no selector: holds 1000000 characters"),
        (["namespaceSelector"], "global()", "spec.namespaceSelector: global() is for"),
        (["types"], ["Ingress", "Ingress"], 'spec.types[1]: "Ingress" stands there twice'),
        (["types"], ["ingress"], 'spec.types[0]: "ingress" is not one of Ingress, Egress, write "Ingress"'),
        (["performanceHints"], ["Fast"], 'spec.performanceHints[0]: "Fast" is not one of'),
        (["doNotTrack"], "yes", "spec.doNotTrack: must be true or false"),
        (["ingres"], [], 'spec.ingres: unknown field, did you mean "ingress"?'),
        (["egressGateway"], {}, "spec.egressGateway: unknown field"),
        ([*IN, "action"], None, "spec.ingress[0].action: is required"),
        ([*IN, "action"], "allow", 'spec.ingress[0].action: "allow" is not one of Allow, Deny, Log, Pass, write "Allow"'),
        ([*IN, "action"], "Deny", "spec.ingress[0].http: is for rules that allow alone"),
        ([*IN, "from"], [], "spec.ingress[0].from: unknown field"),
        ([*IN, "ipVersion"], 5, "spec.ingress[0].ipVersion: must be 4 or 6"),
        ([*IN, "protocol"], "tcp", 'spec.ingress[0].protocol: "tcp" is not one of'),
        ([*OUT, "protocol"], "GRE", 'spec.egress[1].protocol: "GRE" is not one of'),
        ([*OUT, "protocol"], 256, "spec.egress[1].protocol: must be a whole number from 1 to 255"),
        ([*OUT, "protocol"], "0", 'spec.egress[1].protocol: "0" is not one of'),
        ([*OUT, "icmp"], {"type": 8}, "spec.egress[1].icmp: needs protocol ICMP or ICMPv6"),
        (["egress", 0, "icmp"], {"type": 255}, "spec.egress[0].icmp.type: must be a whole number from 0 to 254"),
        (["egress", 0, "notICMP"], {"code": 1}, "spec.egress[0].notICMP.code: needs a type"),
        (["egress", 0, "ipVersion"], 6, "spec.egress[0].ipVersion: ICMP is of IPv4"),
        ([*IN, "protocol"], "UDP", "spec.ingress[0].http: needs protocol TCP, or none"),
        ([*OUT, "http"], {}, "spec.egress[1].http: is for ingress rules alone"),
        ([*IN, "http", "methods"], ["GET", "GET"], "spec.ingress[0].http.methods[1]: "),
        ([*IN, "http", "paths"], [{"exact": "/a", "prefix": "/"}], "spec.ingress[0].http.paths[0]: must hold either"),
        ([*IN, "http", "paths"], [{"exact": "a"}], "spec.ingress[0].http.paths[0].exact: must begin with /"),
        ([*FROM, "nets"], ["10.0.0.1/8"], "spec.ingress[0].source.nets[0]: 10.0.0.1/8 has bits beyond its mask, write 10.0.0.0/8"),
        ([*FROM, "nets"], ["example.org"], 'spec.ingress[0].source.nets[0]: "example.org" is no CIDR block'),
        ([*FROM, "nets"], ["fd00::/8"], "spec.ingress[0].source.nets[0]: must be of IPv4: ipVersion says so"),
        ([*FROM, "nets"], ["10.0.0.0/8"] * 2, "spec.ingress[0].source.nets[1]: "),
        ([*FROM, "namespaceSelector"], "global() || has(a)", "spec.ingress[0].source.namespaceSelector: global() cannot be combined"),
        ([*FROM, "serviceAccounts", "selector"], "a", "spec.ingress[0].source.serviceAccounts.selector: is no selector"),
        ([*FROM, "domains"], ["example.org"], "spec.ingress[0].source.domains: unknown field"),
        ([*TO, "ports"], [0], "spec.ingress[0].destination.ports[0]: must be between 1 and 65535"),
        ([*TO, "ports"], ["1:65536"], "spec.ingress[0].destination.ports[0]: must be between 1 and 65535"),
        ([*TO, "ports"], ["90:80"], "spec.ingress[0].destination.ports[0]: the range must not end below its start"),
        ([*TO, "ports"], ["Http"], 'spec.ingress[0].destination.ports[0]: "Http" is no port name'),
        ([*TO, "ports"], [[80]], "spec.ingress[0].destination.ports[0]: must be a number, a range"),
        ([*TO, "services"], {"name": "s", "namespace": "n"}, "spec.ingress[0].destination.services: may stand in the source"),
        ([*OUT, "destination", "services"], {"namespace": "n"}, "spec.egress[1].destination.services.name: is required"),
        ([*OUT, "destination", "services"], {"name": "s"}, "spec.egress[1].destination.services.namespace: is required"),
        ([*OUT, "destination", "nets"], ["10.0.0.0/8"], "spec.egress[1].destination.nets: may not stand together with services"),
        ([*OUT, "source"], {"services": {"name": "s", "namespace": "n"}}, "spec.egress[1].source.services: may stand in the destination"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(path, value, said):
    assert found_in(GLOBAL) == []
    found = found_in(changed(path, value))
    assert found[:1] and found[0].startswith(said), found


def test_ports_need_a_protocol_that_has_them():
    for protocol in (None, "ICMP", 1, "UDPLite"):
        found = found_in(changed([*IN, "protocol"], protocol))
        for field in ("source.ports", "destination.ports", "destination.notPorts"):
            assert f"spec.ingress[0].{field}: needs protocol TCP, UDP or SCTP" in found
    assert found_in(changed([*IN, "protocol"], 6)) == []
    ports = {"services": {"name": "s", "namespace": "n"}, "ports": [80]}
    found = found_in(changed(OUT, {"action": "Allow", "protocol": "TCP", "destination": ports}))
    assert found == [
        "spec.egress[1].destination.ports: may not stand together with services, whose ports count"
    ]


def test_a_rule_has_networks_of_one_family():
    mixed = {"action": "Deny", "source": {"nets": ["10.0.0.0/8"]}, "destination": {"notNets": ["fd00::/8"]}}
    found = found_in(changed(OUT, mixed))
    assert found == [
        "spec.egress[1].destination.notNets[0]: must be of IPv6: so is another of the rule"
    ] or found == ["spec.egress[1].destination.notNets[0]: must be of IPv4: so is another of the rule"]


def test_a_namespaced_policy_has_no_fields_of_a_global_one():
    spec = {
        k: v
        for k, v in GLOBAL["spec"].items()
        if k not in ("namespaceSelector", "applyOnForward", "doNotTrack")
    }
    body = {**GLOBAL, "kind": "NetworkPolicy", "metadata": {"name": "x", "namespace": "n"}, "spec": spec}
    assert found_in(body) == []
    assert found_in(changed([*OUT, "destination", "services"], {"name": "s"}, body)) == []
    for field in ("namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward", "stagedAction"):
        assert found_in(changed([field], "x", body))[0].startswith(f"spec.{field}: unknown field")
    del body["spec"]
    assert found_in(body) == ["spec: is required"]


def test_policies_for_host_endpoints_say_so_in_full():
    def said(**fields):
        spec = {"selector": "all()", "ingress": [{"action": "Deny"}], **fields}
        return found_in({**GLOBAL, "spec": spec})

    assert said(doNotTrack=True, applyOnForward=True) == []
    assert said(doNotTrack=True) == ["spec.applyOnForward: must be true with doNotTrack or preDNAT"]
    assert said(preDNAT=True, applyOnForward=True, egress=[{"action": "Deny"}]) == [
        "spec.egress: is not for preDNAT"
    ]
    assert said(preDNAT=True, applyOnForward=True, types=["Egress"]) == [
        "spec.types: Egress is not for preDNAT"
    ]
    assert said(preDNAT=True, doNotTrack=True, applyOnForward=True)[0].startswith(
        "spec.preDNAT: may not stand"
    )


def staged(kind, **spec):
    return {**GLOBAL, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec}


@pytest.mark.parametrize(
    "kind", ["StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy"]
)
def test_a_staged_policy_is_one_with_an_action(kind):
    kubernetes = "Kubernetes" in kind
    good = {"podSelector": {}} if kubernetes else {"selector": "all()", "tier": "default"}
    for action in ("Set", "Learn", "Ignore"):
        assert found_in(staged(kind, stagedAction=action, **good)) == []
    assert found_in(staged(kind, **good)) == []
    assert found_in(staged(kind, stagedAction="Remove", **good))[0].startswith("spec.stagedAction: ")
    assert found_in(staged(kind, stagedAction="Delete")) == []
    body = {"policyTypes": ["Egress"]} if kubernetes else {"order": 0}
    found = found_in(staged(kind, stagedAction="Delete", **body))
    assert len(found) == 1 and found[0].startswith("spec.") and "a staged deletion" in found[0]
    found = found_in(
        staged(kind, stagedAction="Set", **good, ingress=[{"action": "Allow", "from": [{"podSelector": {}}]}])
    )
    assert found[0].startswith("spec.ingress[0].action" if kubernetes else "spec.ingress[0].from")


def tier(name, **spec):
    return {**GLOBAL, "kind": "Tier", "metadata": {"name": name}, "spec": spec}


def test_the_tiers_that_every_cluster_has_are_as_they_are():
    assert found_in(tier("sec", order=1.5, defaultAction="Pass")) == [] == found_in(tier("sec"))
    assert found_in(tier("default", order=1_000_000, defaultAction="Deny")) == []
    assert found_in(tier("default", order=1_000_000.0)) == []
    assert found_in(tier("default")) == ["spec.order: that of the tier default is 1000000"]
    assert found_in(tier("default", order=1_000_000, defaultAction="Pass"))[0].startswith(
        "spec.defaultAction: "
    )
    assert found_in(tier("kube-admin", order=1000))[0].startswith("spec.defaultAction: ")
    assert found_in(tier("adminnetworkpolicy", order=1000, defaultAction="Pass")) == []
    assert found_in(tier("sec", defaultAction="Allow"))[0].startswith(
        'spec.defaultAction: "Allow" is not one of'
    )
    assert found_in(tier("a.b"))[0].startswith("metadata.name: ")


def test_a_policy_needs_its_tier():
    assert wrong(GLOBAL) == ['spec.tier: there is no tier "sec"']
    assert wrong(GLOBAL, tier("sec")) == []
    assert wrong(changed(["tier"], "default")) == [] == wrong(changed(["tier"], None))


@pytest.mark.parametrize("kind", ["NetworkSet", "GlobalNetworkSet"])
def test_sets_hold_networks_and_addresses(kind):
    def said(*nets, labels=None):
        meta = {"name": "x", **({"labels": labels} if labels else {})}
        return found_in({**GLOBAL, "kind": kind, "metadata": meta, "spec": {"nets": list(nets)}})

    assert said("10.0.0.1", "10.0.0.1/8", "fd00::1", "fd00::/8", labels={"risk": "high"}) == []
    assert said("example.org")[0].startswith('spec.nets[0]: "example.org" is no CIDR block')
    assert said("10.0.0.300")[0].startswith("spec.nets[0]: ")
    assert said("10.0.0.0/8", "10.0.0.0/8")[0].startswith("spec.nets[1]: ")
    assert said(labels={"projectcalico.org/namespace": "n"})[0].startswith("metadata.labels.")
    assert found_in(
        {**GLOBAL, "kind": kind, "metadata": {"name": "x"}, "spec": {"allowedEgressDomains": ["a"]}}
    )


def test_objects_of_other_groups_are_none_of_these():
    assert checker({**GLOBAL, "apiVersion": "crd.projectcalico.org/v1"}) is None
    assert checker({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}) is None
    assert checker({**GLOBAL, "kind": "FelixConfiguration"}) is None


@pytest.mark.parametrize("value", [None, [], {}, "x", 1, True, [None], [[]], [{}], ["x"], {"x": None}, 1e999])
@pytest.mark.parametrize("path", [[], ["spec"], ["metadata"], ["spec", "ingress"], ["spec", *FROM], ["spec", *TO, "ports"],
    ["spec", *FROM, "nets"], ["spec", *IN, "protocol"], ["spec", *IN, "http"], ["spec", *OUT, "destination", "services"],
    ["spec", "types"], ["spec", "tier"], ["spec", "nets"], ["spec", "stagedAction"]])  # fmt: skip
def test_no_shape_breaks_the_check(path, value):
    whole = {"apiVersion": GLOBAL["apiVersion"], "metadata": GLOBAL["metadata"], "spec": GLOBAL["spec"]}
    body = deepcopy(whole)
    at = body
    for key in path[:-1]:
        at = at[key]
    if path:
        at[path[-1]] = value
    for kind in (
        "NetworkPolicy",
        "GlobalNetworkPolicy",
        "StagedGlobalNetworkPolicy",
        "StagedKubernetesNetworkPolicy",
        "Tier",
        "NetworkSet",
    ):
        obj = {**body, "kind": kind}
        assert all(isinstance(text, str) for text in (*calico_problems(obj), *missing_tier(obj, ())))


def test_much_of_everything_is_refused_in_little_time():
    begun = time.process_time()
    nets = [f"10.{n >> 8 & 255}.{n & 255}.0/24" for n in range(60_000)]
    many = changed([*FROM, "nets"], nets)
    assert any("holds 60000 items" in text for text in objections(many))
    long = changed([*FROM, "selector"], "a in {" + "'x'," * 16_000 + "}")
    assert list(objections(long)) == []
    assert time.process_time() - begun < 20
