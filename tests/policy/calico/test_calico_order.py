"""Calico's policies, point by point of its text: tiers, order, whom rules mean, ports, sets, what is left open."""

import pytest
from narrowing import left_out

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.objects.pod import NamedPort, Pod

V3 = "projectcalico.org/v3"
SPACES = {"shop": {"team": "shop", "env": "prod"}, "pay": {"team": "pay"}}
WEB = Pod(
    "shop", "web", {"app": "web"}, "10.0.0.1", (NamedPort("http", 8080),), "192.168.0.1", account="front"
)
CART = Pod("shop", "cart", {"app": "cart"}, "10.0.0.3", (), "192.168.0.2")
DB = Pod("pay", "db", {"app": "db"}, "10.0.0.2", (NamedPort("pg", 5432),), "192.168.0.2", account="back")
AGENT = Pod("shop", "agent", {"app": "agent"}, "192.168.0.9", (), "192.168.0.9", host_network=True)
FAR = "203.0.113.9"
NEAR = {"selector": "app == 'web'"}


def calico(kind, name, space="", labels=None, **spec):
    meta = {"name": name, **({"namespace": space} if space else {}), **({"labels": labels} if labels else {})}
    return {"apiVersion": V3, "kind": kind, "metadata": meta, "spec": spec}


def gnp(name, *ingress, **spec):
    return calico("GlobalNetworkPolicy", name, ingress=list(ingress), **spec)


def np(name, space, *ingress, **spec):
    return calico("NetworkPolicy", name, space, ingress=list(ingress), **spec)


def tier(name, order=None, action=None):
    spec = {k: v for k, v in (("order", order), ("defaultAction", action)) if v is not None}
    return calico("Tier", name, **spec)


def rule(action="Allow", source=None, **fields):
    return {"action": action, **({"source": source} if source else {}), **fields}


def account(space, name, **labels):
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"namespace": space, "name": name, "labels": labels},
    }


def knp(name, space, *ingress):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(ingress)}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": spec,
    }


def network(*further, policies=(), cluster=()):
    return Network(SPACES, list(policies), list(cluster), further=list(further))


def asked(*further, src=WEB, dst=DB, port=5432, protocol="TCP", policies=(), cluster=()):
    return network(*further, policies=policies, cluster=cluster).decide(src, dst, protocol, port)


def allowed(*further, **given):
    return asked(*further, **given).allowed


STAGED = calico("StagedGlobalNetworkPolicy", "s", ingress=[rule("Deny")])  # enforces nothing


# Tiers and order.


def test_the_lower_order_decides_fractions_and_negatives_count_and_none_is_last():
    deny, allow = rule("Deny"), rule("Allow")
    assert allowed(gnp("a", deny, order=2), gnp("b", allow, order=1.5)) is True
    assert allowed(gnp("a", deny, order=-1), gnp("b", allow, order=0)) is False
    assert allowed(gnp("a", deny), gnp("b", allow, order=9e9)) is True
    assert allowed(np("a", "pay", deny, order=2), gnp("b", allow, order=1)) is True


def test_log_goes_on_and_pass_leaves_the_tier_to_the_next_one():
    sec = tier("sec", 10)
    assert allowed(gnp("a", rule("Log"), rule("Allow"), rule("Deny"))) is True
    passes = gnp("sec.a", rule("Pass"), rule("Deny"), tier="sec")
    assert allowed(sec, passes) is True
    assert allowed(sec, passes, gnp("sec.b", rule("Deny"), tier="sec")) is True
    assert allowed(sec, passes, gnp("c", rule("Deny"))) is False
    assert allowed(gnp("a", rule("Pass"), order=1), gnp("b", rule("Deny"), order=2)) is True


def test_tiers_go_by_order_then_by_name_and_none_is_last():
    deny, allow = rule("Deny"), rule("Allow")
    assert (
        allowed(tier("x", 2), tier("y", 1), gnp("x.a", deny, tier="x"), gnp("y.a", allow, tier="y")) is True
    )
    assert (
        allowed(tier("y", 1), tier("x", 1), gnp("x.a", deny, tier="x"), gnp("y.a", allow, tier="y")) is False
    )
    assert allowed(tier("x"), gnp("x.a", deny, tier="x"), gnp("a", allow)) is True
    assert allowed(tier("x"), gnp("x.a", deny, tier="x")) is False


def test_what_a_tier_does_not_decide_is_denied_unless_it_passes_or_selects_nothing():
    other = gnp("sec.a", rule(source={"nets": ["10.9.9.9/32"]}), tier="sec")
    assert allowed(tier("sec", 1), other) is False
    assert allowed(tier("sec", 1, "Pass"), other) is True
    assert allowed(tier("sec", 1), {**other, "spec": {**other["spec"], "selector": "app == 'web'"}}) is True
    assert allowed(tier("sec", 1), {**other, "spec": {**other["spec"], "types": ["Egress"]}}, src=FAR) is True


def test_a_policy_whose_tier_does_not_exist_is_not_asked():
    assert allowed(gnp("ghost.a", rule("Deny"), tier="ghost")) is True


def test_network_policies_stand_at_order_1000_of_the_default_tier_and_do_not_end_it():
    shut = knp("shut", "pay")
    opened = knp("open", "pay", {})
    assert allowed(STAGED, policies=[shut]) is False
    assert allowed(gnp("a", rule(), order=999), policies=[shut]) is True
    assert allowed(gnp("a", rule(), order=1001), policies=[shut]) is True
    assert allowed(gnp("a", rule("Deny"), order=999), policies=[opened]) is False
    assert allowed(gnp("a", rule("Deny"), order=1001), policies=[opened]) is True
    assert allowed(tier("t", 5), gnp("t.a", rule("Pass"), tier="t"), policies=[shut]) is False


def test_a_block_of_a_network_policy_covers_pods_under_calico():
    block = knp("b", "pay", {"from": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]})
    assert allowed(policies=[block]) is None
    assert allowed(STAGED, policies=[block]) is True


def cluster_wide(kind, action, **spec):
    body = {
        "subject": {"namespaces": {}},
        "ingress": [{"action": action, "from": [{"namespaces": {}}]}],
        **spec,
    }
    return {"kind": kind, "metadata": {"name": "default"}, "spec": body}


def test_cluster_wide_policies_stand_in_tiers_before_and_after_the_default_one():
    admin = cluster_wide("AdminNetworkPolicy", "Deny", priority=3)
    base = cluster_wide("BaselineAdminNetworkPolicy", "Deny")
    early = gnp("e.a", rule(), tier="e")
    assert allowed(tier("e", 999), early, cluster=[admin]) is True
    assert allowed(tier("e", 1001), early, cluster=[admin]) is False
    assert allowed(gnp("a", rule()), cluster=[admin]) is False
    assert allowed(gnp("kube-admin.a", rule("Deny"), tier="kube-admin")) is False
    assert allowed(gnp("a", rule()), cluster=[base]) is True
    assert allowed(gnp("a", rule("Pass")), cluster=[base]) is False
    assert allowed(STAGED, cluster=[base]) is False
    assert allowed(gnp("a", rule("Pass")), policies=[knp("shut", "pay")], cluster=[base]) is False
    assert allowed(STAGED, policies=[knp("open", "pay", {})], cluster=[base]) is True
    passing = cluster_wide("ClusterNetworkPolicy", "Pass", tier="Baseline", priority=1)
    late = [tier("late"), gnp("late.a", rule("Deny"), tier="late")]
    assert allowed(*late[:1], gnp("a", rule("Pass")), cluster=[passing]) is True
    assert allowed(*late, cluster=[passing]) is False


# What of a policy is in force.


def test_types_are_by_the_rules_where_they_are_not_given():
    assert allowed(gnp("a")) is False  # ingress is denied
    assert allowed(gnp("a", selector="app == 'web'")) is True  # its egress is not
    out = calico("GlobalNetworkPolicy", "a", selector="app == 'web'", egress=[rule("Deny")])
    assert allowed(out) is False and allowed(out, src=DB, dst=WEB) is True
    assert allowed(gnp("a", rule("Deny"), types=["Egress"])) is False
    assert allowed(gnp("a", rule("Deny"), types=["Egress"], selector="app == 'db'")) is True


@pytest.mark.parametrize("field", ["doNotTrack", "preDNAT"])
def test_policies_for_host_endpoints_say_nothing_of_pods(field):
    assert allowed(gnp("a", rule("Deny"), **{field: True, "applyOnForward": True})) is True
    assert allowed(gnp("a", rule("Deny"), applyOnForward=True)) is False


@pytest.mark.parametrize(
    "kind", ["StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy"]
)
def test_what_is_staged_enforces_nothing_and_leaves_its_tier_empty(kind):
    staged = calico(kind, "sec.a", "" if "Global" in kind else "pay", tier="sec", ingress=[rule("Deny")])
    assert allowed(tier("sec", 1), staged) is True


def test_the_three_selectors_of_a_policy_all_have_to_hold():
    known = account("pay", "back", rank="low")
    fields = {
        "selector": "app == 'db'",
        "namespaceSelector": "projectcalico.org/name == 'pay' && team == 'pay'",
        "serviceAccountSelector": "rank == 'low' && projectcalico.org/name == 'back'",
    }
    assert allowed(known, gnp("a", **fields)) is False
    for field in fields:
        assert allowed(known, gnp("a", **{**fields, field: "has(nothing)"})) is True
    assert allowed(np("a", "shop")) is True


# Whom rules mean.


def means(source, src, *further, policy=gnp, space=()):
    return allowed(policy("a", *space, rule(source=source), selector="app == 'db'"), *further, src=src)


def test_a_rule_without_peers_means_everything_and_all_means_what_calico_knows():
    assert [means(None, end) for end in (WEB, AGENT, FAR)] == [True, True, True]
    assert [means({"selector": "all()"}, end) for end in (WEB, AGENT, FAR)] == [True, False, False]
    spaces = {"namespaceSelector": "all()"}
    assert [means(spaces, end) for end in (WEB, AGENT, FAR)] == [True, False, False]


def test_selectors_of_a_namespaced_policy_mean_its_own_namespace_unless_it_says_which():
    mine = {"policy": np, "space": ("pay",)}
    front = account("shop", "front", rank="high")
    assert means({"selector": "has(app)"}, WEB, **mine) is False
    assert means({"selector": "has(app)", "namespaceSelector": "team == 'shop'"}, WEB, **mine) is True
    assert means({"serviceAccounts": {"names": ["front"]}}, WEB, **mine) is False
    assert means({"serviceAccounts": {"names": ["front"]}, "namespaceSelector": "all()"}, WEB, **mine) is True
    assert (
        means({"serviceAccounts": {"names": ["other"]}, "namespaceSelector": "all()"}, WEB, **mine) is False
    )
    accounts = {"serviceAccounts": {"names": ["front", "other"], "selector": "rank == 'high'"}}
    assert means(accounts, WEB, front) is True
    assert means(accounts, CART, front) is False
    assert means({"nets": ["10.0.0.0/8"]}, WEB, **mine) is True


def test_labels_of_namespace_and_account_are_inherited_with_their_prefixes():
    seen = (
        "pcns.team == 'shop' && pcsa.rank == 'high' && projectcalico.org/namespace == 'shop'"
        " && projectcalico.org/serviceaccount == 'front' && projectcalico.org/orchestrator == 'k8s'"
        " && pcns.projectcalico.org/name == 'shop' && pcsa.projectcalico.org/name == 'front'"
    )
    assert means({"selector": seen}, WEB, account("shop", "front", rank="high")) is True


def test_nets_mean_any_address_and_all_fields_have_to_hold():
    assert means({"nets": ["10.0.0.1"]}, WEB) is True
    assert means({"nets": ["10.0.0.0/24"], "notNets": ["10.0.0.1/32"]}, WEB) is False
    assert means({"nets": ["10.0.0.0/24"], "selector": "app == 'cart'"}, WEB) is False
    assert means({"nets": ["192.168.0.0/24"]}, AGENT) is True
    assert means({"notNets": ["10.0.0.0/24"]}, FAR) is True


def test_not_selector_lets_outside_in_and_alone_in_a_namespace_it_depends():
    assert [means({"notSelector": "app == 'web'"}, end) for end in (WEB, CART, FAR)] == [False, True, True]
    mine = {"policy": np, "space": ("pay",)}
    found = asked(np("a", "pay", rule(source={"notSelector": "app == 'web'"})), src=CART)
    assert found.allowed is None and "notSelector alone" in found.depends[0]
    assert means({"notSelector": "app == 'web'"}, WEB, **mine) is False
    assert means({"notSelector": "app == 'web'", "namespaceSelector": "all()"}, CART, **mine) is True
    assert means({"notSelector": "app == 'web'", "namespaceSelector": "all()"}, FAR, **mine) is False


def test_sets_are_labelled_networks_and_mean_the_pods_that_they_cover():
    bad = calico("GlobalNetworkSet", "bad", labels={"risk": "high"}, nets=["203.0.113.0/24", "10.0.0.3/32"])
    ours = calico("NetworkSet", "ours", "pay", labels={"risk": "low"}, nets=["198.51.100.0/24"])
    theirs = calico("NetworkSet", "theirs", "shop", labels={"risk": "low"}, nets=["192.0.2.0/24"])
    sets, mine = (bad, ours, theirs), {"policy": np, "space": ("pay",)}
    ends = (FAR, CART, "198.51.100.1", "192.0.2.1", WEB)

    def meant(source, **given):
        return [means(source, end, *sets, **given) for end in ends]

    assert meant({"selector": "risk == 'high'"}) == [True, True, False, False, False]
    assert meant({"selector": "risk == 'high'"}, **mine) == [False] * 5
    assert meant({"selector": "risk == 'high'", "namespaceSelector": "global()"}, **mine) == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert meant({"namespaceSelector": "global()"}) == [True, True, False, False, False]
    assert meant({"selector": "risk == 'low'"}, **mine) == [False, False, True, False, False]
    assert meant({"namespaceSelector": "team == 'shop'"}) == [False, True, False, True, True]
    assert meant({"namespaceSelector": "all()"}) == [False, True, True, True, True]
    assert meant({"selector": "all()"}) == [True, True, True, True, True]
    assert meant({"notSelector": "risk == 'high'"}) == [False, False, True, True, True]


def test_a_namespace_selector_that_holds_without_labels_may_mean_global_sets():
    far = calico("GlobalNetworkSet", "far", nets=["203.0.113.0/24"])
    for text in ("team != 'pay'", "team not in {'pay'}", "!has(old)"):
        found = asked(
            far, gnp("a", rule(source={"namespaceSelector": text}), selector="app == 'db'"), src=FAR
        )
        assert found.allowed is None and "GlobalNetworkSets" in found.depends[0]
        assert means({"namespaceSelector": text}, FAR) is False  # there is no such set
        assert means({"namespaceSelector": text}, WEB, far) is True
    for text, said in (("global()", True), ("team != 'pay'", False)):
        policies = [far, gnp("a", rule(source={"namespaceSelector": text}), selector="app == 'db'")]
        settled = Network(SPACES, [], settled={"spaces_mean_global_sets": False}, further=policies)
        assert settled.allowed(FAR, DB, "TCP", 80) is said


# Ports and protocols.


def on(port, by="TCP", **fields):
    return allowed(gnp("a", rule(**fields), types=["Ingress"]), port=port, protocol=by)


def to(*listed, **fields):
    return {"destination": {"ports": list(listed), **fields}, "protocol": "TCP"}


def test_ports_are_numbers_ranges_and_names_and_not_ports_exclude():
    assert [on(port, **to(80, "90:92", "95")) for port in (80, 81, 90, 92, 93, 95)] == [
        True, False, True, True, False, True,
    ]  # fmt: skip
    assert on(5432, **to("pg")) is True
    assert on(5433, **to("pg")) is False
    assert on(5432, "UDP", **{**to("pg"), "protocol": "UDP"}) is False
    assert on(5432, **to("1:9999", notPorts=["pg"])) is False
    assert on(5431, **to("1:9999", notPorts=["pg"])) is True
    assert on(80, destination={"notPorts": [80]}, protocol="TCP") is False
    assert on(80, "UDP", destination={"notPorts": [81]}, protocol="TCP") is False


def test_protocols_go_by_name_or_number_and_none_means_all():
    assert [on(80, p, protocol=6) for p in ("TCP", "UDP")] == [True, False]
    assert [on(80, p, notProtocol="17") for p in ("TCP", "UDP", "SCTP")] == [True, False, True]
    assert on(80, protocol="UDPLite") is False
    assert on(8, "ICMP", protocol=1) is True and on(8, "ICMP") is True
    assert on(80, protocol="TCP", notProtocol="TCP") is False


def messages(kind, code, by="ICMP", **fields):
    policy = gnp("a", rule(**fields), types=["Ingress"])
    return network(policy).judge(WEB, DB, ports.icmp(by, kind, code)).allowed


def test_icmp_goes_by_type_and_code():
    ping = {"protocol": "ICMP", "icmp": {"type": 8}}
    assert [messages(8, 0, **ping), messages(8, 1, **ping), messages(3, 0, **ping)] == [True, True, False]
    one = {"protocol": "ICMP", "icmp": {"type": 3, "code": 4}}
    assert [messages(3, 4, **one), messages(3, 1, **one)] == [True, False]
    rest = {"protocol": "ICMP", "notICMP": {"type": 8}}
    assert [messages(8, 0, **rest), messages(0, 0, **rest)] == [False, True]
    assert messages(8, 0, "ICMPv6", **ping) is False
    assert on(80, **ping) is False
    assert on(80, notICMP={"type": 8}) is True


def test_ip_version_limits_a_rule():
    six = Pod("pay", "db", {"app": "db"}, "fd00::2")
    assert on(80, ipVersion=6) is False and on(80, ipVersion=4) is True
    policy = gnp("a", rule(ipVersion=6), types=["Ingress"])
    assert allowed(policy, src=Pod("shop", "web", {}, "fd00::1"), dst=six) is True
    both = Pod("shop", "web", {}, "10.0.0.1", other_ips=("fd00::1",))
    assert allowed(policy, src=both, dst=Pod("pay", "db", {}, "10.0.0.2", other_ips=("fd00::2",))) is True


# Services.


def endpoints(name, space, *addresses, port=5432):
    labels = {"kubernetes.io/service-name": name}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x", "namespace": space, "labels": labels},
        "ports": [{"port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": list(addresses)}],
    }


def served(*further, space="pay", policy=gnp, port=5432, dst=DB):
    peer = {"services": {"name": "store", **({"namespace": space} if space else {})}}
    where = ("shop",) if policy is np else ()
    found = policy("a", *where, types=["Egress"], selector="app == 'web'", egress=[rule(destination=peer)])
    return allowed(found, *further, dst=dst, port=port)


def test_services_are_the_addresses_and_ports_of_their_slices():
    slices = endpoints("store", "pay", "10.0.0.2", "203.0.113.9")
    assert served(slices) is True and served(slices, dst=FAR) is True
    assert served(slices, port=80) is False
    assert served(slices, space="shop") is False
    assert served(slices, dst=CART) is False
    source = {"services": {"name": "store", "namespace": "pay"}}
    assert means(source, FAR, slices) is True and means(source, WEB, slices) is False


def test_slices_of_names_and_ports_without_numbers_are_no_endpoints():
    named = {**endpoints("store", "pay", "db.example.org"), "addressType": "FQDN"}
    assert served(named) is False
    asked = {"destination": {"services": {"name": "store", "namespace": "pay"}}}
    of_service = gnp("a", egress=[{"action": "Allow", **asked}])
    assert list(network(of_service, named).networks()) == []
    bare = {**endpoints("store", "pay", "10.0.0.2"), "ports": [{"name": "all"}]}
    assert served(bare) is False and served({**bare, "ports": None}) is False


def test_without_a_namespace_a_service_is_the_policys_own_or_none():
    own = endpoints("store", "shop", "10.0.0.2")
    assert served(own, space="", policy=np) is None
    assert served(own, space="", policy=np, dst=FAR) is False


def test_without_any_slices_the_pods_that_a_service_selects_are_its_endpoints():
    spec = {"selector": {"app": "db"}, "ports": [{"port": 80, "targetPort": "pg"}]}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "store", "namespace": "pay"},
        "spec": spec,
    }
    assert served(service) is True and served(service, port=80) is False
    assert served(service, dst=Pod("shop", "db", {"app": "db"}, "10.0.0.8")) is False
    assert served(service, endpoints("other", "pay", "10.0.0.9")) is False


# What is open, and only where the answer depends on it.


def test_http_and_ports_of_the_client_depend():
    found = asked(gnp("a", rule(http={"methods": ["GET"]}), types=["Ingress"]))
    assert found.allowed is None and "http" in found.depends[0]
    assert allowed(gnp("a", rule(http={"methods": ["GET"]}), rule(), types=["Ingress"])) is True
    sent = {"source": {"ports": ["1024:65535"]}, "protocol": "TCP"}
    assert asked(gnp("a", rule(**sent), types=["Ingress"])).depends == ("which port the client sends from",)
    assert allowed(gnp("a", rule("Deny", **sent), rule(), types=["Ingress"])) is None
    split = [
        rule(source={"ports": ["1:9"]}, protocol="TCP"),
        rule("Deny", source={"ports": ["10:19"]}, protocol="TCP"),
    ]
    assert allowed(gnp("a", *split, rule(), types=["Ingress"])) is None
    assert allowed(gnp("a", rule(source={"ports": ["1:65535"]}, protocol="TCP"), types=["Ingress"])) is True
    assert allowed(gnp("a", rule(source={"ports": ["nosuch"]}, protocol="TCP"), types=["Ingress"])) is False


def test_names_decide_ties_where_all_versions_agree_and_else_it_depends():
    deny, allow = rule("Deny"), rule("Allow")
    assert allowed(gnp("a", deny, order=1), gnp("b", allow, order=1)) is False
    assert allowed(gnp("b", deny, order=1), gnp("a", allow, order=1)) is True
    found = asked(gnp("gate", deny, order=1), gnp("gate-x", allow, order=1))
    assert found.allowed is None and "3.32" in found.depends[0]
    assert allowed(gnp("gate", deny, order=1), gnp("gate-x", deny, order=1)) is False
    assert allowed(np("a", "pay", deny, order=1), gnp("b", allow, order=1)) is None
    assert allowed(np("z", "pay", deny, order=1000), policies=[knp("a", "pay", {})]) is None
    assert allowed(np("a", "pay", deny, order=1000), policies=[knp("b", "pay", {})]) is False


def test_two_ends_may_ask_for_ports_of_the_client_that_no_one_port_is():
    out = np(
        "a", "shop", egress=[rule("Pass", source={"ports": ["1:999"]}, protocol="TCP")], types=["Egress"]
    )
    shut = gnp("b", rule("Deny", source={"ports": ["1000:1999"]}, protocol="TCP"), rule(), types=["Ingress"])
    assert allowed(out, shut) is None


def test_the_order_in_which_policies_are_listed_says_nothing():
    twins = [
        np("a", "pay", rule("Deny"), order=1),
        np("default.a", "pay", rule(), order=1),
    ]  # one name up to 3.31
    for further in (twins, twins[::-1]):
        assert allowed(*further) is False


# What stands around.


def test_a_pod_reaches_itself_and_a_node_its_own_pods():
    shut = gnp("a", types=["Ingress", "Egress"])
    assert allowed(shut, src=WEB, dst=WEB) is True
    assert allowed(shut, src="192.168.0.2", dst=DB) is True
    assert allowed(shut, src="192.168.0.1", dst=DB) is False
    assert allowed(shut, src=DB, dst="192.168.0.2") is False
    assert allowed(shut, src=AGENT, dst=FAR) is True
    near = Pod("pay", "near", {}, "10.0.0.8", (), AGENT.node_ip)
    assert allowed(shut, src=AGENT, dst=near) is False and allowed(shut, src=AGENT.node_ip, dst=near) is True


def test_each_answer_cites_the_policy_and_its_rule():
    policies = [
        tier("sec", 1),
        gnp("sec.a", rule("Pass"), tier="sec"),
        np("db", "pay", rule("Deny", source=NEAR)),
    ]
    found = asked(*policies)
    (ingress,) = [why for why in found.why if why.side == "Ingress"]
    assert ingress.rules == (
        "GlobalNetworkPolicy/sec.a ingress[0]: Pass",
        "Calico NetworkPolicy pay/db: no rule allows it",
    )
    assert asked(gnp("g", rule(), selector="app == 'db'")).why[1].rules == (
        "GlobalNetworkPolicy/g ingress[0]: Allow",
    )
    found = asked(tier("sec", 1), gnp("sec.a", rule(source=NEAR, protocol="UDP"), tier="sec"))
    assert found.why[1].rules == ("GlobalNetworkPolicy/sec.a: no rule of the tier sec allows it",)


def test_what_isolates_and_which_addresses_are_told_apart():
    policies = [
        tier("open", 1, "Pass"),
        gnp("open.a", rule(source={"nets": ["10.1.0.0/16"]}), tier="open"),
        np("db", "pay", rule(source={"notNets": ["10.2.0.0/16"]})),
        calico("GlobalNetworkSet", "far", nets=["203.0.113.0/24"]),
        endpoints("store", "pay", "198.51.100.7"),
    ]
    order = network(*policies).order

    def names(order, *addresses):
        return [a for a in addresses if any(networks.hold(a) for networks in order.networks())]

    asked = ("10.1.0.1", "10.2.0.1", "203.0.113.9", "198.51.100.7")
    assert names(order, *asked) == ["10.1.0.1", "10.2.0.1"]  # no rule means the set, or the Service
    by_labels = gnp("c", rule(source={"selector": "all()"}))
    of_service = gnp(
        "d", egress=[{"action": "Allow", "destination": {"services": {"name": "store", "namespace": "pay"}}}]
    )
    assert names(network(*policies, by_labels, of_service).order, *asked, "198.51.100.8") == [*asked]
    assert order.isolates(DB, INGRESS) and not order.isolates(DB, EGRESS) and not order.isolates(WEB, INGRESS)


@pytest.mark.parametrize(
    ("kind", "name", "tiered"),
    [
        ("ClusterNetworkPolicy", "kube-admin", {"tier": "Admin"}),
        ("AdminNetworkPolicy", "adminnetworkpolicy", {}),
    ],
)
def test_the_index_asks_both_kinds_of_policies_of_a_cluster_wide_tier_as_one(kind, name, tiered):
    """A Pass of one skips the denial of the other."""
    passing = {"action": "Pass", "from": [{"namespaces": {}}]}
    spec = {"priority": 1, "subject": {"namespaces": {}}, "ingress": [passing], **tiered}
    admin = {"kind": kind, "metadata": {"name": "wide"}, "spec": spec}
    shut = gnp(f"{name}.shut", {"action": "Deny"}, tier=name, order=1)
    found = Network(SPACES, [], [admin], further=[shut])
    assert found.allowed(WEB, DB, "TCP", 80) and left_out(found, [WEB, DB, CART]) == []
