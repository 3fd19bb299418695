"""What Cilium's own kinds of rules mean, point by point, and what an answer says of them."""

import pytest

from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent, configured
from orchestrator.policy.evaluate.cni_profiles import SAID, profile
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.objects.pod import NamedPort, Pod
from orchestrator.policy.workloads.citing import policy_of

SPACES = {"shop": {"team": "red"}, "bank": {"team": "blue"}}
NODES = {"172.16.0.1": {"rack": "a"}, "172.16.0.2": {"rack": "b"}}
WEB = Pod("shop", "web", {"app": "web"}, "10.0.0.1", (NamedPort("http", 80),), "172.16.0.1")
DB = Pod("shop", "db", {"app": "db"}, "10.0.0.2", (NamedPort("sql", 5432),), "172.16.0.2")
TELLER = Pod("bank", "teller", {"app": "teller"}, "10.0.1.1", (NamedPort("http", 8080),), "172.16.0.2")
AGENT = Pod("bank", "agent", {"app": "agent"}, "172.16.0.2", (), "172.16.0.2", host_network=True)
OUT = "203.0.113.7"
OF_DB, OF_WEB = ({"endpointSelector": {"matchLabels": {"app": app}}} for app in ("db", "web"))


def cnp(spec, name="p", space="shop", **more):
    head = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy"}
    return {
        **head,
        "metadata": {"name": name, "namespace": space},
        **({"spec": spec} if spec else {}),
        **more,
    }


def ccnp(spec, name="c"):
    head = {"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy"}
    return {**head, "metadata": {"name": name}, "spec": spec}


def np(spec, name="n", space="shop"):
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": space}, "spec": spec}


def tiered(tier, side, action, name="t", **peer):
    rule = {"action": action, "from" if side == "ingress" else "to": [peer or {"namespaces": {}}]}
    spec = {"tier": tier, "priority": 1, "subject": {"namespaces": {}}, side: [rule]}
    return {"kind": "ClusterNetworkPolicy", "metadata": {"name": name}, "spec": spec}


def net(*further, policies=(), cluster=(), agent=None, nodes=NODES):
    return Network(SPACES, list(policies), list(cluster), {"cilium": True}, nodes, list(further), agent)


def said(found):
    return [rule for why in found.why for rule in why.rules]


def group(name, *blocks, **labels):
    meta = {"name": name, "labels": labels}
    head = {"apiVersion": "cilium.io/v2", "kind": "CiliumCIDRGroup"}
    return {**head, "metadata": meta, "spec": {"externalCIDRs": list(blocks)}}


def service(name, space="shop", selector=None, **labels):
    spec = {"selector": selector} if selector else {}
    meta = {"name": name, "namespace": space, "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def slice_of(name, *addresses, space="shop"):
    meta = {"name": f"{name}-1", "namespace": space, "labels": {"kubernetes.io/service-name": name}}
    head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"}
    return {**head, "metadata": meta, "endpoints": [{"addresses": [a]} for a in addresses]}


def to(rule, **more):
    return cnp({**OF_WEB, "egress": [rule]}, **more)


# The order of policies ----------------------------------------------------------------------------------------------------


def test_a_policy_of_cilium_among_the_objects_is_enough_for_its_order():
    found = Network(SPACES, [], (), None, NODES, [cnp({**OF_DB, "ingress": [{}]})])
    assert not found.allowed(WEB, DB, "TCP", 5432)
    assert said(found.decide(WEB, DB, "TCP", 5432)) == [
        "no policy isolates shop/web for Egress",
        "CiliumNetworkPolicy shop/p: no rule allows it",
    ]


def test_an_answer_cites_the_spec_the_rule_and_the_peer_or_port_that_decides():
    rule = {
        "fromEndpoints": [{"matchLabels": {"app": "teller"}}, {"matchLabels": {"app": "web"}}],
        "toPorts": [{"ports": [{"port": "1"}, {"port": "5432"}]}],
    }
    several = cnp(None, specs=[{**OF_WEB, "egress": [{}]}, {**OF_DB, "ingress": [{}, rule]}])
    [_, why] = net(several, policies=[]).decide(WEB, DB, "TCP", 5432).why
    assert list(why.cited) == [
        ("CiliumNetworkPolicy shop/p specs[1].ingress[1]", "specs[1].ingress[1].fromEndpoints[1]")
    ]
    rule["fromEndpoints"].pop(0)
    [_, why] = net(cnp({**OF_DB, "ingress": [rule]})).decide(WEB, DB, "TCP", 5432).why
    assert list(why.cited) == [("CiliumNetworkPolicy shop/p ingress[0]", "ingress[0].toPorts[0].ports[1]")]


def test_a_denial_of_any_policy_wins_over_every_allowance_but_that_of_admin():
    deny = ccnp({"endpointSelector": {}, "ingressDeny": [{"fromEntities": ["all"]}]})
    allow = np({"podSelector": {}, "ingress": [{}]})
    assert not net(deny, policies=[allow]).allowed(WEB, DB, "TCP", 1)
    assert net(deny, cluster=[tiered("Admin", "ingress", "Accept")]).allowed(WEB, DB, "TCP", 1)
    assert not net(deny, cluster=[tiered("Admin", "ingress", "Pass")]).allowed(WEB, DB, "TCP", 1)


def test_of_admin_policies_with_one_priority_the_denial_counts_first_where_their_rules_have_one_number():
    both = [tiered("Admin", "ingress", "Accept", "a"), tiered("Admin", "ingress", "Deny", "b")]
    assert net(cluster=both).decide(WEB, DB, "TCP", 1).allowed is False
    later = tiered("Admin", "ingress", "Deny", "b")
    later["spec"]["ingress"].insert(
        0, {"action": "Pass", "from": [{"namespaces": {"matchLabels": {"x": "y"}}}]}
    )
    assert net(cluster=[both[0], later]).decide(WEB, DB, "TCP", 1).allowed is True


def test_the_forerunners_of_cluster_network_policy_are_none_that_cilium_knows():
    spec = {
        "priority": 1,
        "subject": {"namespaces": {}},
        "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
    }
    head = {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy"}
    assert net(cluster=[{**head, "metadata": {"name": "a"}, "spec": spec}]).allowed(WEB, DB, "TCP", 1)


def test_what_isolates_is_what_closes():
    off = {"enableDefaultDeny": {"ingress": False}, "ingress": [{"fromEndpoints": [{}]}]}
    found = net(cnp({**OF_DB, **off, "egress": [{}]}))
    assert (found.isolated(DB, INGRESS), found.isolated(DB, EGRESS), found.isolated(WEB, EGRESS)) == (
        False,
        True,
        False,
    )


# Peers ------------------------------------------------------------------------------------------------------------------


def test_groups_of_cidrs_are_found_by_name_and_by_label_and_a_missing_one_means_nobody():
    office = group("office", "203.0.113.0/24", trust="high")
    for entry, open_ in (
        ({"cidrGroupRef": "office"}, True),
        ({"cidrGroupRef": "office", "except": ["203.0.113.0/28"]}, False),
        ({"cidrGroupRef": "none"}, False),
        ({"cidrGroupSelector": {"matchLabels": {"trust": "high"}}}, True),
        ({"cidrGroupSelector": {"matchLabels": {"trust": "low"}}}, False),
    ):
        found = net(office, cnp({**OF_DB, "ingress": [{"fromCIDRSet": [entry]}]}))
        assert found.allowed(OUT, DB, "TCP", 1) is open_, entry


def test_services_stand_for_their_pods_or_for_the_addresses_of_their_endpoints():
    by_name = to({"toServices": [{"k8sService": {"serviceName": "db", "namespace": "shop"}}]})
    assert net(by_name, service("db", selector={"app": "db"})).allowed(WEB, DB, "TCP", 1)
    assert not net(by_name, service("db", selector={"app": "db"})).allowed(WEB, TELLER, "TCP", 1)
    outside = net(by_name, service("db"), slice_of("db", OUT, DB.ip))
    assert outside.allowed(WEB, OUT, "TCP", 1) and not outside.allowed(WEB, DB, "TCP", 1)
    labelled = {"k8sServiceSelector": {"selector": {"matchLabels": {"zone": "yard"}}}}
    yard = service("teller", "bank", {"app": "teller"}, zone="yard")
    assert net(to({"toServices": [labelled]}), yard).allowed(WEB, TELLER, "TCP", 1)
    labelled["k8sServiceSelector"]["namespace"] = "shop"
    assert not net(to({"toServices": [labelled]}), yard).allowed(WEB, TELLER, "TCP", 1)


def test_services_that_are_not_there_may_open_their_ports_to_all_and_open_nothing_without_ports():
    entry = {"toServices": [{"k8sService": {"serviceName": "gone"}}]}
    ports = {"toPorts": [{"ports": [{"port": "443"}]}]}
    found = net(to({**entry, **ports})).decide(WEB, OUT, "TCP", 443)
    assert found.allowed is None and found.depends == (SAID["services_open"],)
    assert net(to({**entry, **ports})).decide(WEB, OUT, "TCP", 80).allowed is False
    assert net(to(entry)).decide(WEB, OUT, "TCP", 443).allowed is False
    as_1_20 = net(to({**entry, **ports}), agent=CiliumAgent(quirks="1.20"))
    assert as_1_20.decide(WEB, OUT, "TCP", 443).allowed is True


@pytest.mark.parametrize(
    ("rule", "question"),
    [
        ({"toFQDNs": [{"matchName": "a.example.org"}]}, "names_resolve"),
        ({"toGroups": [{"aws": {"region": "x"}}]}, "in_groups"),
    ],
)
def test_names_and_groups_decide_on_addresses_outside_alone_and_a_denial_before_them(rule, question):
    found = net(to(rule)).decide(WEB, OUT, "TCP", 443)
    assert found.allowed is None and found.depends == (SAID[question],)
    assert net(to(rule)).decide(WEB, DB, "TCP", 443).allowed is False
    assert net(to(rule)).decide(WEB, "172.16.0.1", "TCP", 443).allowed is False
    denied = cnp({**OF_WEB, "egressDeny": [{"toCIDR": ["203.0.113.0/24"]}]}, "q")
    assert net(to(rule), denied).decide(WEB, OUT, "TCP", 443).allowed is False
    allowed = cnp({**OF_WEB, "egress": [{"toEntities": ["world"]}]}, "q")
    assert net(to(rule), allowed).decide(WEB, OUT, "TCP", 443).allowed is True


def test_a_rule_that_asks_for_authentication_allows_once_both_ends_have_it():
    def asked(mode):
        rule = {"fromEndpoints": [{}], "authentication": {"mode": mode}}
        return net(cnp({**OF_DB, "ingress": [rule]})).decide(WEB, DB, "TCP", 1)

    found = asked("required")
    assert found.allowed is None and found.depends == (SAID["peers_authenticate"],)
    assert (asked("disabled").allowed, asked("test-always-fail").allowed) == (True, False)


def test_nodes_are_selected_by_labels_where_the_agent_has_them_and_else_the_policy_does_nothing():
    policy = cnp({**OF_WEB, "egress": [{"toNodes": [{"matchLabels": {"rack": "b"}}]}]})
    told = net(policy, agent=CiliumAgent(node_labels=True))
    assert told.allowed(WEB, "172.16.0.2", "TCP", 1) and not told.allowed(WEB, "172.16.0.1", "TCP", 1)
    assert net(policy).allowed(WEB, OUT, "TCP", 1)


def test_selectors_of_nodes_mean_other_nodes_alone():
    policy = cnp(
        {
            **OF_WEB,
            "egress": [{"toNodes": [{"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}]}],
        }
    )
    told = net(policy, agent=CiliumAgent(node_labels=True))
    ends = (DB, OUT, "172.16.0.1", "172.16.0.2", AGENT)
    assert [told.allowed(WEB, e, "TCP", 1) for e in ends] == [False, False, False, True, True]


def test_a_node_is_the_own_one_by_each_of_its_addresses():
    host = {"kubernetes.io/hostname": "a"}
    nodes = {"172.16.0.1": host, "192.0.2.1": host, "172.16.0.2": {"kubernetes.io/hostname": "b"}}
    closed = net(cnp({**OF_WEB, "ingress": [{}]}), nodes=nodes)
    assert [closed.allowed(a, WEB, "TCP", 1) for a in nodes] == [True, True, False]


def test_an_empty_list_of_peers_means_nobody_whatever_stands_beside_it():
    for rule in ({"fromEndpoints": [], "fromEntities": ["all"]}, {"fromCIDR": [], "fromEndpoints": [{}]}):
        assert not net(cnp({**OF_DB, "ingress": [rule]})).allowed(WEB, DB, "TCP", 1)
        ports = {"toPorts": [{"ports": [{"port": "1"}]}]}
        assert not net(cnp({**OF_DB, "ingress": [{**rule, **ports}]})).allowed(WEB, DB, "TCP", 1)
    ports = {"toPorts": [{"ports": [{"port": "1"}]}]}
    assert net(to({"toFQDNs": [], **ports})).allowed(WEB, DB, "TCP", 1)
    assert not net(to({"toFQDNs": []})).allowed(WEB, DB, "TCP", 1)


def test_with_peers_of_any_cluster_a_negated_namespace_reaches_nodes_and_the_world():
    negated = {
        "matchExpressions": [{"key": "io.kubernetes.pod.namespace", "operator": "NotIn", "values": ["bank"]}]
    }
    policy = ccnp({**OF_DB, "ingress": [{"fromEndpoints": [negated]}]})
    ends = (WEB, TELLER, OUT, "172.16.0.1")
    before_1_19 = net(policy, agent=CiliumAgent(local_cluster=False))
    assert [net(policy).allowed(e, DB, "TCP", 1) for e in ends] == [True, False, False, False]
    assert [before_1_19.allowed(e, DB, "TCP", 1) for e in ends] == [True, False, True, True]


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("app", True),
        ("app.kubernetes.io/name", True),
        ("mill.example/grade", True),
        ("kubernetes.io/arch", False),
        ("topology.kubernetes.io/zone", False),
        ("beta.kubernetes.io/os", False),
        ("node.beta.kubernetes.io/x", False),
        ("k8s.io/part", False),
        ("statefulset.kubernetes.io/pod-name", False),
        ("apps.kubernetes.io/pod-index", False),
        ("pod-template-hash", False),
        ("batch.kubernetes.io/controller-uid", False),
        ("controller-uid", False),
        ("io.kubernetes.pod.namespace", False),
        ("io.cilium.k8s.namespace.labels.team", False),
    ],
)
def test_some_labels_of_pods_select_nothing_and_none_of_them_stands_for_a_namespace(key, kept):
    pod = Pod("bank", "x", {key: "red"}, "10.0.9.9")
    policy = ccnp({**OF_DB, "ingress": [{"fromEndpoints": [{"matchLabels": {key: "red"}}]}]})
    assert net(policy).allowed(pod, DB, "TCP", 1) is kept
    plain = np(
        {
            "podSelector": {},
            "ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {key: "red"}}}]}],
        }
    )
    assert net(policies=[plain]).allowed(pod, DB, "TCP", 1) is kept


@pytest.mark.parametrize("block", ["0.0.0.0/0", "::/0"])
def test_a_block_is_of_one_family(block):
    found = net(to({"toCIDR": [block]}))
    assert found.allowed(WEB, OUT, "TCP", 1) is ("." in block)
    dual = Pod("shop", "web", {"app": "web"}, "10.0.0.1", (), "172.16.0.1", other_ips=("2001:db8:1::1",))
    assert found.allowed(dual, "2001:db8::7", "TCP", 1) is (":" in block)
    assert net(to({"toEntities": ["world"]})).allowed(dual, "2001:db8::7", "TCP", 1)


# Ports --------------------------------------------------------------------------------------------------------------------


def test_messages_have_numbers_and_names_by_family_and_ports_stand_for_none_of_them():
    def types(**rule):
        found = net(cnp({**OF_DB, "ingress": [rule]}))
        return [
            (p, t) for p in ("ICMP", "ICMPv6") for t in (0, 8, 128) if found.decide(WEB, DB, p, t).allowed
        ]

    assert types(icmps=[{"fields": [{"type": 8}, {"type": "EchoReply"}]}]) == [("ICMP", 0), ("ICMP", 8)]
    assert types(icmps=[{"fields": [{"type": "EchoRequest", "family": "IPv6"}]}]) == [("ICMPv6", 128)]
    assert types(icmps=[{}], fromEndpoints=[{}]) == types(toPorts=[{"ports": [{"port": "0"}]}]) == []
    assert len(types(fromEndpoints=[{}])) == 6


def test_a_proxy_that_decides_on_requests_is_said():
    http = {"ports": [{"port": "5432", "protocol": "TCP"}], "rules": {"http": [{}]}}
    plain = {**http, "rules": {"http": []}}
    for entry, proxied in ((http, True), (plain, False)):
        found = net(cnp({**OF_DB, "ingress": [{"toPorts": [entry]}]})).decide(WEB, DB, "TCP", 5432)
        assert found.allowed and any("l7" in rule for rule in said(found)) is proxied
    beside = {"ports": [{"port": "443", "protocol": "TCP"}]}
    found = net(cnp({**OF_DB, "ingress": [{"toPorts": [http, beside]}]})).decide(WEB, DB, "TCP", 443)
    assert found.allowed and not any("l7" in rule for rule in said(found))


# Nodes, and what the agent was told --------------------------------------------------------------------------------------


def test_the_own_node_comes_in_where_no_rule_denies_it_and_goes_nowhere_by_itself():
    closed = cnp({**OF_WEB, "ingress": [{}], "egress": [{}]})
    assert net(closed).allowed("172.16.0.1", WEB, "TCP", 1)
    assert not net(closed).allowed("172.16.0.2", WEB, "TCP", 1)
    assert not net(closed).allowed(WEB, "172.16.0.1", "TCP", 1)
    assert net(closed).allowed(AGENT, TELLER, "TCP", 1) and net(closed).allowed(WEB, WEB, "TCP", 1)
    denied = cnp({**OF_WEB, "ingressDeny": [{"fromEntities": ["host"]}]}, "d")
    assert not net(closed, denied).allowed("172.16.0.1", WEB, "TCP", 1)
    assert not net(closed, agent=CiliumAgent(own_node_asks=True)).allowed("172.16.0.1", WEB, "TCP", 1)


def test_it_depends_where_nobody_knows_on_which_node_a_pod_runs():
    closed = cnp({**OF_DB, "ingress": [{}]})
    somewhere = Pod("shop", "db", {"app": "db"}, "10.0.0.2")
    anywhere = Pod("bank", "agent", {}, host_network=True)
    for src, dst in ((AGENT, somewhere), (anywhere, DB), (anywhere, somewhere), ("172.16.0.2", somewhere)):
        found = net(closed).decide(src, dst, "TCP", 1)
        assert found.allowed is None and found.depends == (SAID["same_node"],), (src, dst)
    open_ = cnp({**OF_DB, "ingress": [{"fromEntities": ["cluster"]}]})
    assert net(open_).decide(anywhere, somewhere, "TCP", 1).allowed is True
    assert net(closed).decide(AGENT, WEB, "TCP", 1).allowed is True


def test_with_the_host_firewall_policies_hold_for_nodes_by_their_labels():
    wall = ccnp({"nodeSelector": {"matchLabels": {"rack": "b"}}, "ingress": [{"fromEntities": ["host"]}]})
    on = net(wall, agent=CiliumAgent(host_firewall=True))
    assert net(wall).allowed(WEB, "172.16.0.2", "TCP", 22)
    found = on.decide(WEB, "172.16.0.2", "TCP", 22)
    assert found.allowed is False
    assert said(found)[-1] == "CiliumClusterwideNetworkPolicy/c: no rule allows it"
    assert on.allowed(WEB, "172.16.0.1", "TCP", 22) and not on.allowed(WEB, AGENT, "TCP", 22)
    assert on.allowed("172.16.0.2", AGENT, "TCP", 22), "what a node says to itself never leaves it"
    unknown = net(wall, agent=CiliumAgent(host_firewall=True), nodes=None).decide(WEB, AGENT, "TCP", 22)
    assert unknown.allowed is None and SAID["nodes_match"] in unknown.depends


def test_enforcement_may_close_all_pods_or_none():
    never, always = (
        net(cnp({**OF_DB, "ingress": [{}]}), agent=CiliumAgent(enforcement=e)) for e in ("never", "always")
    )
    assert never.allowed(WEB, DB, "TCP", 1) and not never.isolated(DB, INGRESS)
    assert not always.allowed(WEB, TELLER, "TCP", 1) and always.isolated(TELLER, INGRESS)
    found = always.decide("172.16.0.2", TELLER, "TCP", 1)
    assert found.allowed is None and found.depends == (SAID["own_node_first"],)


def test_the_agent_is_read_from_its_config_map():
    assert configured({}, {}) == CiliumAgent()
    data = {
        "policy-cidr-match-mode": "nodes,pods",
        "policy-default-local-cluster": "false",
        "enable-host-firewall": "true",
        "enable-node-selector-labels": "true",
        "enable-policy": "always",
        "allow-localhost": "policy",
        "cluster-name": "east",
        "enable-k8s-cluster-network-policy": "true",
    }
    assert configured(data, {}) == CiliumAgent(
        frozenset(("nodes", "pods")),
        False,
        True,
        True,
        "always",
        True,
        "east",
        said=frozenset({"ClusterNetworkPolicy"}),
    )
    assert configured({"enable-policy": "default", "policy-audit-mode": "true"}, {}).enforcement == "never"
    for off in ({}, {"enable-k8s-cluster-network-policy": "false"}):
        assert configured({"cluster-name": "east", **off}, {}).unwatched == {"ClusterNetworkPolicy"}
    with pytest.raises(BadInput):
        configured({}, {}, quirks="1.2")


def test_without_being_told_the_agent_is_what_the_objects_of_the_cluster_say():
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "cilium-config"},
        "data": {"policy-cidr-match-mode": "nodes"},
    }
    server = slice_of("kubernetes", OUT, space="default")
    node = {"kind": "CiliumNode", "metadata": {"name": "a"}, "spec": {"health": {"ipv4": "10.9.0.1"}}}
    blocks = cnp({**OF_WEB, "egress": [{"toCIDR": ["172.16.0.0/16"]}]})
    entities = cnp({**OF_DB, "egress": [{"toEntities": ["kube-apiserver", "health"]}]}, "e")
    found = net(blocks, entities, config, server, node)
    assert found.allowed(WEB, "172.16.0.1", "TCP", 1) and not net(blocks).allowed(WEB, "172.16.0.1", "TCP", 1)
    assert found.allowed(DB, OUT, "TCP", 1) and found.allowed(DB, "10.9.0.1", "TCP", 1)
    assert not net(entities, agent=CiliumAgent()).allowed(DB, OUT, "TCP", 1)
    for end in (OUT, "172.16.0.1"):
        unknown = net(entities).decide(DB, end, "TCP", 1)
        assert unknown.allowed is None and unknown.depends == (SAID["is_api_server"],)
    assert net(entities).decide(DB, WEB, "TCP", 1).allowed is False


def test_a_cited_rule_is_found_again_with_its_policy():
    for rule in ("ingress[0]", "specs[1].egressDeny[2] (l7: a proxy)", "ingress[0]: Accept", ": no rule"):
        for name in (
            "CiliumNetworkPolicy shop/p",
            "CiliumClusterwideNetworkPolicy/c",
            "ClusterNetworkPolicy/t",
        ):
            assert policy_of(f"{name} {rule}".replace(" :", ":")) == name


# Open bugs of the engine --------------------------------------------------------------------------------------------------


def bug(found):
    return [rule for rule in said(found) if rule.startswith("Cilium 1.20")]


def test_rules_that_policy_types_leave_out_are_said_to_be_enforced_where_that_matters():
    policy = np(
        {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{}],
            "egress": [{"to": [{"podSelector": {}}]}],
        }
    )
    found = net(policies=[policy]).decide(WEB, TELLER, "TCP", 1)
    assert found.allowed is True and "policyTypes" in bug(found)[0]
    assert bug(net(policies=[policy]).decide(WEB, DB, "TCP", 1)) == []
    as_1_20 = net(policies=[policy], agent=CiliumAgent(quirks="1.20")).decide(WEB, TELLER, "TCP", 1)
    assert as_1_20.allowed is False and bug(as_1_20) == []


def test_a_peer_that_is_only_negated_is_said_to_reach_everybody():
    keys = ("io.cilium.k8s.policy.cluster", "io.kubernetes.pod.namespace")
    negated = [
        {"key": k, "operator": "NotIn", "values": [v]} for k, v in zip(keys, ("east", "bank"), strict=True)
    ]
    policy = ccnp({**OF_DB, "ingress": [{"fromEndpoints": [{"matchExpressions": negated}]}]})
    for end in (TELLER, OUT, "172.16.0.1"):
        found = net(policy).decide(end, DB, "TCP", 1)
        assert found.allowed is False and "issues/46949" in bug(found)[0]
        assert net(policy, agent=CiliumAgent(quirks="1.20")).allowed(end, DB, "TCP", 1)
    assert bug(net(policy).decide(WEB, DB, "TCP", 1)) == []
    spaces = {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["red"]}]}
    admin = tiered("Admin", "ingress", "Deny", namespaces=spaces)
    for end, denied in ((TELLER, True), (WEB, False), (OUT, False)):
        found = net(cluster=[admin]).decide(end, DB, "TCP", 1)
        assert found.allowed is not denied and bool(bug(found)) is not denied
        assert not net(cluster=[admin], agent=CiliumAgent(quirks="1.20")).allowed(end, DB, "TCP", 1)
    named = cnp({**OF_DB, "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "teller"}}]}]})
    as_1_20 = net(named, agent=CiliumAgent(quirks="1.20"))
    assert [as_1_20.allowed(end, DB, "TCP", 1) for end in (WEB, OUT, "172.16.0.1")] == [False] * 3


def test_baseline_is_said_to_be_asked_before_what_no_rule_allows_is_denied():
    closed, open_ = cnp({**OF_DB, "ingress": [{}]}), tiered("Baseline", "ingress", "Accept")
    found = net(closed, cluster=[open_]).decide(WEB, DB, "TCP", 1)
    assert found.allowed is False and "Baseline" in bug(found)[0]
    assert net(closed, cluster=[open_], agent=CiliumAgent(quirks="1.20")).allowed(WEB, DB, "TCP", 1)
    shut = tiered("Baseline", "ingress", "Deny")
    assert bug(net(closed, cluster=[shut]).decide(WEB, DB, "TCP", 1)) == []


def test_the_profile_takes_ciliums_order_without_any_policy_of_its_own():
    policy = np(
        {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
        }
    )
    for cni, to_node in (("cilium", False), ("calico", True)):
        found = Network(SPACES, [policy], (), profile(cni), NODES)
        assert found.allowed(WEB, "172.16.0.1", "TCP", 1) is to_node
