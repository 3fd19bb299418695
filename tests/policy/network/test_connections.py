"""Connections as sets of ports: as expected for shared manifests, and equal to the evaluator port by port."""

import json
import re
from pathlib import Path

import conformance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import left_out, told_apart
from random_policies import ADDRESSES, PODS, SPACES, sets, specs
from written import plain

from orchestrator.adapters.git.directory import Directory
from orchestrator.errors import BadInput
from orchestrator.policy.author import intents
from orchestrator.policy.author.generator import generate
from orchestrator.policy.definitions.services import Platform, edges
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.files.manifest import Document, parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.network.beyond import between
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import reach
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.pod import NamedPort, Pod
from orchestrator.policy.objects.port_sets import text
from orchestrator.policy.schemas.tier_schema import tier_problems
from orchestrator.policy.workloads.fleet import Fleet, Workload, fleet

MANIFESTS = Path(__file__).parents[4] / "shared" / "conformance" / "manifests"
CASES = MANIFESTS.parent / "cases"
needs_shared = pytest.mark.skipif(
    not MANIFESTS.is_dir(), reason="the shared manifests are not beside this clone"
)
LINE = re.compile(
    r"diff-type: (\w+), source: (\S+), destination: (\S+), ref1: (.*?), ref2: (.*?)(?:, workloads-diff-info: .*)?$"
)


def load(folder):
    return fleet(d for p, content in Directory(folder).files("").items() for d in parse(content, p))


def short(said):
    return said.replace("All Connections", "all").replace("No Connections", "none")


@needs_shared
def test_the_shared_manifests_give_the_expected_connections():
    folders = sorted(MANIFESTS.glob("connlist-*"))
    assert len(folders) == 6
    for folder in folders:
        found = {f"{c.src.name} => {c.dst.name} : {text(c.ports)}" for c in reach(load(folder / "input"))}
        lines = (folder / "expected.txt").read_text().splitlines()
        assert found == {short(line.strip()) for line in lines if line.strip()}, folder.name


@needs_shared
def test_the_shared_manifests_give_the_expected_diffs():
    words = {"gained": "added", "lost": "removed", "changed": "changed"}
    folders = sorted(MANIFESTS.glob("diff-*"))
    assert len(folders) == 4
    for folder in folders:
        found = changes(load(folder / "dir1"), load(folder / "dir2"))
        rows = {(words[c.kind], c.src.name, c.dst.name, text(c.before), text(c.after)) for c in found}
        lines = (LINE.match(line) for line in (folder / "expected.txt").read_text().splitlines())
        assert rows == {tuple(map(short, m.groups())) for m in lines if m}, folder.name


@needs_shared
def test_sets_of_ports_equal_the_evaluator_on_every_shared_case():
    for path in sorted(CASES.glob("*.json")):
        case = json.loads(path.read_text())
        net = Network(
            {n["name"]: n["labels"] for n in case["namespaces"]}, case["policies"], case["clusterPolicies"]
        )
        pods = conformance.pods_of(case)
        known = {}
        for query in case["queries"]:
            ends = tuple(pods.get(query[e], query[e]) for e in ("src", "dst"))
            if (query["src"], query["dst"]) not in known:
                known[query["src"], query["dst"]] = between(net, *ends)
            mask = known[query["src"], query["dst"]]
            naive = net.allowed(*ends, query["protocol"], query["port"])
            assert port_sets.contains(mask, query["protocol"], query["port"]) == naive, (path.name, query)


PROBED = [("TCP", 79), ("TCP", 80), ("TCP", 81), ("TCP", 101), ("TCP", 443), ("UDP", 80), ("SCTP", 443)]


@settings(max_examples=150)
@given(policies=sets)
def test_sets_of_ports_equal_the_evaluator_on_random_policies(policies):
    net = Network(SPACES, policies)
    for src in [*PODS, *ADDRESSES]:
        for dst in PODS:
            mask = between(net, src, dst)
            assert [port_sets.contains(mask, *p) for p in PROBED] == [
                net.allowed(src, dst, *p) for p in PROBED
            ]


def small(policies):
    return Fleet(tuple(Workload("Pod", p) for p in PODS), SPACES, tuple(policies))


@settings(max_examples=60)
@given(policies=sets, more=specs, seed=st.randoms())
def test_order_does_not_matter_and_a_rule_more_only_adds(policies, more, seed):
    shuffled = list(policies)
    seed.shuffle(shuffled)
    rows = reach(small(policies))
    assert reach(small(shuffled)) == rows and changes(small(policies), small(shuffled)) == []
    for old in policies[:1]:
        side, extra = (
            ("ingress", more["ingress"])
            if "Ingress" in old["spec"]["policyTypes"]
            else ("egress", more["egress"])
        )
        wider = {**old, "spec": {**old["spec"], side: [*old["spec"].get(side, []), *extra]}}
        lost = [c for c in changes(small(policies), small([wider, *policies[1:]])) if c.before & ~c.after]
        assert lost == []


@settings(max_examples=60)
@given(old=sets, new=sets)
def test_a_diff_applied_to_what_was_gives_what_is(old, new):
    before, after = small(old), small(new)
    found = changes(before, after)
    assert changes(before, before) == []
    for change in found:
        assert change.before != change.after and change.because
    kept = {
        (c.src.name, c.dst.name): c.ports for c in reach(before) if "External" not in c.src.name + c.dst.name
    }
    for change in found:
        if "External" in change.src.name + change.dst.name:
            continue
        assert kept.get((change.src.name, change.dst.name), 0) == change.before
        kept[change.src.name, change.dst.name] = change.after
    now = {
        (c.src.name, c.dst.name): c.ports for c in reach(after) if "External" not in c.src.name + c.dst.name
    }
    assert {k: v for k, v in kept.items() if v} == now


@settings(max_examples=150)
@given(policies=sets)
def test_the_index_leaves_out_no_pair_that_the_evaluator_allows(policies):
    net, found = Network(SPACES, policies), {}
    for src in PODS:
        for dst in PODS:
            if src is not dst and between(net, src, dst):
                found[src.name, dst.name] = between(net, src, dst)
    assert left_out(net, PODS) == [] == told_apart(net, PODS, ADDRESSES)
    inside = [c for c in reach(small(policies)) if "External" not in c.src.name + c.dst.name]
    assert {(c.src.pod.name, c.dst.pod.name): c.ports for c in inside} == found


def test_ports_are_named_as_people_write_them():
    assert text(port_sets.ALL) == "all" and text(0) == "none"
    found = port_sets.span("TCP", 80, 80) | port_sets.span("TCP", 443, 450) | port_sets.span("UDP")
    assert text(found) == "TCP 80,443-450,UDP"
    assert port_sets.span("TCP", 5, 4) == 0 == port_sets.span("ICMP")


def test_a_named_port_is_that_of_the_destination():
    rule = [{"port": "http"}]
    one, other = (Pod("x", n, {}, "", (NamedPort("http", p),)) for n, p in (("one", 80), ("two", 8080)))
    assert (text(port_sets.of_rule(rule, one)), text(port_sets.of_rule(rule, other))) == (
        "TCP 80",
        "TCP 8080",
    )
    assert text(port_sets.of_rule(rule, "10.0.0.1")) == "none"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "spec",
                    "template",
                    "metadata",
                    "labels",
                    "containers",
                    "ports",
                    "containerPort",
                    "podSelector",
                    "ingress",
                    "from",
                    "policyTypes",
                    "tier",
                    "priority",
                    "subject",
                    "jobTemplate",
                    "ownerReferences",
                    "ipBlock",
                    "cidr",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(
    kind=st.sampled_from(
        [
            "Deployment",
            "Pod",
            "CronJob",
            "NetworkPolicy",
            "Namespace",
            "ClusterNetworkPolicy",
            "AdminNetworkPolicy",
            "BaselineAdminNetworkPolicy",
        ]
    ),
    spec=VALUES,
    labels=VALUES,
)
def test_no_manifest_ends_in_a_traceback(kind, spec, labels):
    groups = {
        "NetworkPolicy": "networking.k8s.io/v1",
        "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
        "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
        "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    }
    version = groups.get(kind, "v1")
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "labels": labels}, "spec": spec}
    said = "x.yaml:1: "
    try:
        found = fleet([Document(obj, "x.yaml", 1)])
        reach(found)
        lint(found)
    except BadInput as error:
        said = str(error)
    assert said.startswith("x.yaml:1: ")


@settings(max_examples=300)
@given(
    kind=st.sampled_from(
        ["Service", "Ingress", "ConfigMap", "ServiceMonitor", "PodMonitor", "PolicyTest", "Deployment"]
    ),
    spec=VALUES,
    data=VALUES,
)
def test_no_service_definition_ends_in_a_traceback(kind, spec, data):
    container = {"name": "c", "env": [{"name": "A_HOST", "value": "x"}], "ports": [{"containerPort": 1}]}
    pod = {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"containers": [container]}}
    pod["spec"]["volumes"] = [{"configMap": {"name": "x"}}]
    objects = [
        {"apiVersion": "v1", "kind": "Pod", **pod},
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec, "data": data},
    ]
    documents = [Document(o, "x.yaml", 1) for o in objects]
    said = "x.yaml:1: "
    try:
        intents.tests_of(documents)
        found = fleet(documents)
        generate(found, edges(documents, found, Platform()))
    except BadInput as error:
        said = str(error)
    assert said.startswith("x.yaml:1: ")


@needs_shared
@pytest.mark.parametrize("group", ["cnp-*", "cnpfleet-*"])
def test_the_tiers_schema_takes_every_shared_policy(group):
    paths = sorted(MANIFESTS.parent.glob(f"cases/{group}.json"))
    assert paths
    for path in paths:
        for policy in json.loads(path.read_text())["clusterPolicies"]:
            assert tier_problems(policy) == [], path


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.tier: is required"),
        ([], "spec: must be a mapping"),
        (
            {"tier": "Admin", "priority": "x", "subject": {"namespaces": {}}},
            "spec.priority: must be a whole number",
        ),
        ({"tier": "Admin", "priority": 1, "subject": {}}, "spec.subject: must hold exactly one"),
        (
            {"egress": [{"action": "Deny", "to": [{"networks": ["nope"]}]}]},
            "spec.egress[0].to[0].networks[0]",
        ),
        ({"ingress": [{"action": "Nope", "from": []}]}, 'spec.ingress[0].action: "Nope" is not one of'),
        (
            {
                "ingress": [
                    {
                        "action": "Deny",
                        "from": [],
                        "protocols": [{"tcp": {"destinationPort": {"range": {"start": 2, "end": 1}}}}],
                    }
                ]
            },
            "range.end: must not be smaller than start",
        ),
    ],
)
def test_a_cluster_policy_that_is_not_valid_is_named_with_its_line(spec, said):
    base = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}}
    whole = {**base, **spec} if spec and "tier" not in spec else spec
    with pytest.raises(BadInput) as error:
        fleet([Document(plain("ClusterNetworkPolicy", "x", whole), "x.yaml", 7)])
    assert str(error.value).startswith("x.yaml:7: ClusterNetworkPolicy x is not valid: ")
    assert said in str(error.value)
