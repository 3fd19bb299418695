"""AdminNetworkPolicy and BaselineAdminNetworkPolicy: their order, what depends on what, and the file and line of their rules."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linted import read
from narrowing import left_out, told_apart
from written import pod, policy, written

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.pod import NamedPort, Pod
from orchestrator.policy.workloads.citing import located

SPACES = {"shop": {"team": "shop"}, "pay": {"team": "pay"}}
WEB = Pod("shop", "web", {"app": "web"}, "10.0.0.1", (NamedPort("http", 80),), "192.168.0.1")
DB = Pod("pay", "db", {"app": "db"}, "10.0.0.2", (NamedPort("pg", 5432),), "192.168.0.2")
ALL = {"namespaces": {}}


def admin(name, priority, *egress, subject=ALL, ingress=()):
    spec = {"priority": priority, "subject": subject, "egress": list(egress), "ingress": list(ingress)}
    return {"kind": "AdminNetworkPolicy", "metadata": {"name": name}, "spec": spec}


def baseline(*egress):
    body = {"subject": ALL, "egress": list(egress)}
    return {"kind": "BaselineAdminNetworkPolicy", "metadata": {"name": "default"}, "spec": body}


def rule(action, *peers, **fields):
    return {"action": action, "to": list(peers) or [ALL], **fields}


def asked(*cluster, dst=DB, port=5432, policies=(), nodes=None):
    return Network(SPACES, policies, cluster, nodes=nodes).decide(WEB, dst, "TCP", port)


def isolating(egress=()):
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(egress)}
    return {"kind": "NetworkPolicy", "metadata": {"name": "n", "namespace": "shop"}, "spec": spec}


def test_the_lower_priority_decides_and_pass_goes_on_to_what_comes_after():
    deny, allow, go_on = rule("Deny"), rule("Allow"), rule("Pass")
    assert asked(admin("a", 2, deny), admin("b", 1, allow)).allowed is True
    assert asked(admin("a", 1, allow), policies=[isolating()]).allowed is True
    assert asked(admin("a", 1, go_on), admin("b", 2, deny)).allowed is True
    assert asked(admin("a", 1, go_on), policies=[isolating()]).allowed is False
    assert asked(baseline(deny)).allowed is False
    assert asked(baseline(deny), policies=[isolating([{}])]).allowed is True


@pytest.mark.parametrize("actions", [*permutations(("Allow", "Allow", "Deny"))])
def test_of_one_priority_any_may_come_first_so_that_the_answer_depends(actions):
    policies = [admin(name, 7, rule(action)) for name, action in zip("abc", actions, strict=True)]
    found = asked(*policies)
    assert found.allowed is None
    assert found.depends == ("which of the cluster-wide policies with one priority comes first",)
    assert asked(*policies, port=1, policies=[]).allowed is None
    only = rule("Deny", ports=[{"portNumber": {"port": 9}}])
    assert asked(admin("a", 7, rule("Allow")), admin("b", 7, only)).allowed is True


def test_domain_names_depend_on_dns_for_addresses_and_mean_no_pod():
    policies = [admin("a", 1, rule("Allow", {"domainNames": ["api.example.org"]}), rule("Deny"))]
    policies[0]["spec"]["egress"][1]["to"] = [{"networks": ["0.0.0.0/0"]}]
    found = asked(*policies, dst="203.0.113.9", port=443)
    assert found.allowed is None and found.depends == (
        "which addresses DNS gives for the domain names of a rule",
    )
    assert asked(*policies).allowed is False


def test_labels_of_nodes_decide_where_they_are_known():
    policies = [admin("a", 1, rule("Deny", {"nodes": {"matchLabels": {"pool": "control"}}}))]
    there = {
        "192.168.0.2": {"pool": "control"},
        "192.168.0.3": {"pool": "work"},
        "192.168.0.1": {"pool": "control"},
    }
    assert asked(*policies, dst="192.168.0.2", nodes=there).allowed is False
    assert asked(*policies, dst="192.168.0.3", nodes=there).allowed is True
    assert asked(*policies, dst="192.168.0.1", nodes=there).allowed is False  # its own
    assert asked(*policies, nodes=there).allowed is True  # a pod on such a node is not the node
    found = asked(*policies, dst="192.168.0.2")
    assert found.allowed is None and found.depends == ("which labels the node of that address has",)


def test_a_rule_is_named_by_its_own_word_with_its_line():
    manifests = (
        written("Namespace", "shop")
        + pod("shop/web")
        + pod("shop/db")
        + written(
            "AdminNetworkPolicy",
            "guard",
            "{priority: 3, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}",
        )
        + policy("shop/shut", "{podSelector: {}, policyTypes: [Ingress]}")
    )
    fleet = read(manifests)
    web, db = (w.pod for w in sorted(fleet.workloads, key=lambda w: w.name, reverse=True))
    found = fleet.network().decide(web, db, "TCP", 80)
    said = [located(fleet, r) for w in found.why for r in w.rules if w.side == "Ingress"]
    assert found.allowed is True and len(said) == 1
    assert said[0].startswith("AdminNetworkPolicy/guard ingress[0]: Allow (all.yaml:")
    assert not fleet.skipped


RULES = st.builds(
    lambda action, space, ports: rule(action, {"namespaces": space}, **ports),
    st.sampled_from(["Allow", "Deny", "Pass"]),
    st.sampled_from([{}, {"matchLabels": {"team": "pay"}}, {"matchLabels": {"team": "shop"}}]),
    st.sampled_from(
        [{}, {"ports": [{"portNumber": {"port": 5432}}]}, {"ports": [{"portRange": {"start": 1, "end": 90}}]}]
    ),
)


@settings(max_examples=200)
@given(
    by_priority=st.lists(st.lists(RULES, max_size=3), max_size=3),
    base=st.lists(RULES.filter(lambda r: r["action"] != "Pass"), max_size=2),
    shut=st.booleans(),
    port=st.sampled_from([80, 5432, 9000]),
)
def test_it_is_what_the_text_says_rule_by_rule(by_priority, base, shut, port):
    cluster = [admin(f"p{9 - n}", n, *rules) for n, rules in enumerate(by_priority)]
    found = asked(*cluster, baseline(*base), port=port, policies=[isolating()] if shut else [])
    assert found.allowed is _by_text([*by_priority], base, shut, port)


PEERS = st.sampled_from(
    [
        ALL,
        {"namespaces": {"matchLabels": {"team": "pay"}}},
        {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}},
        {"networks": ["10.0.0.0/30"]},
        {"networks": ["2001:db8::/32"]},
        {"nodes": {}},
    ]
)
WIDER = st.builds(
    lambda action, peers, ports: rule(action, *peers, **ports),
    st.sampled_from(["Allow", "Deny", "Pass"]),
    st.lists(PEERS, min_size=1, max_size=2),
    st.sampled_from([{}, {}, {"ports": [{"portNumber": {"port": 5432}}]}]),
)
NARROWED = st.lists(st.sampled_from([{"ports": [{"port": 80}]}, {"to": [{"podSelector": {}}]}]), max_size=2)


@settings(max_examples=200)
@given(
    priorities=st.lists(st.tuples(st.integers(0, 2), st.lists(WIDER, max_size=3)), max_size=4),
    base=st.lists(WIDER.filter(lambda r: r["action"] != "Pass"), max_size=3),
    shut=st.none() | NARROWED,
    settled=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("host_as_node", "ties_allow", "ties_deny"), st.booleans())
    ),
    subject=PEERS.filter(lambda p: not {"networks", "nodes"} & p.keys()),
)
def test_no_pair_is_left_out_and_no_address_taken_for_another(priorities, base, shut, settled, subject):
    cluster = [admin(f"p{9 - n}", p, *rules, subject=subject) for n, (p, rules) in enumerate(priorities)]
    both = replace(WEB, name="both", other_ips=("2001:db8::1",))
    pods = [
        WEB,
        DB,
        both,
        replace(both, name="two", other_ips=("2001:db8:1::1",)),
        replace(DB, name="host", host_network=True),
    ]
    closed = [] if shut is None else [isolating(shut)]
    nodes = {"192.168.0.2": {"rack": "a"}}
    net = Network(SPACES, closed, [*cluster, baseline(*base)], settled, nodes)
    assert left_out(net, pods) == []
    addresses = ["192.0.2.1", "10.0.0.2", "2001:db8::9", *(own := ["192.168.0.1", "192.168.0.2"])]
    assert told_apart(net, pods, addresses, own) == []


def _by_text(tiers, base, shut, port):
    for rules in tiers:
        hit = next((r["action"] for r in rules if _matches(r, port)), None)
        if hit == "Pass":
            break
        if hit:
            return hit == "Allow"
    if shut:
        return False
    return next((r["action"] == "Allow" for r in base if _matches(r, port)), True)


def _matches(given, port):
    selector = given["to"][0]["namespaces"].get("matchLabels", {"team": "pay"})
    entries = given.get("ports")
    number, span = (entries[0].get(k) for k in ("portNumber", "portRange")) if entries else (None, None)
    fits = not entries or (number["port"] == port if number else span["start"] <= port <= span["end"])
    return selector == {"team": "pay"} and fits
