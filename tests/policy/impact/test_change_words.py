"""Cut, narrowed, opened and widened: what a change does to the ports that somebody uses, and to the others."""

import pytest
import yaml
from written import plain

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.impact import impact
from orchestrator.policy.impact.risk import RiskRules, risk
from orchestrator.policy.impact.weighing import items, weighed
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.objects.port_sets import span
from orchestrator.policy.workloads.fleet import fleet

ALL = "all"


def pod(space, name, *numbers, **notes):
    listed = [{"containerPort": n} if isinstance(n, int) else n for n in numbers]
    spec = {"containers": [{"name": "c", "image": "i", "ports": listed}]}
    return plain("Pod", f"{space}/{name}", spec, {"app": name}, {"annotations": notes})


def policy(*numbers, target="stock", others=()):
    """Lets everybody in the namespace to a workload on some ports; on all where ALL is given."""
    rule = {"from": [{"podSelector": {}}, *others]}
    if ALL not in numbers:
        rule["ports"] = [{"port": n} for n in numbers]
    spec = {"podSelector": {"matchLabels": {"app": target}}, "policyTypes": ["Ingress"], "ingress": [rule]}
    return plain("NetworkPolicy", "barn/in", spec)


def fleets(workloads, before, after):
    def made(last):
        return fleet(parse(yaml.safe_dump_all([*workloads, last]).encode(), "f.yaml"))

    return made(before), made(after)


def moved(workloads, before, after, **more):
    old, new = fleets(workloads, before, after)
    return old, new, changes(old, new, **more)


def words(workloads, before, after, **more):
    (found,) = {c.words for c in moved(workloads, before, after, **more)[2]}
    return found


CLIENT = pod("barn", "client")
BEHIND = {"selector": {"app": "stock"}, "ports": [{"port": 80, "targetPort": 9000}]}
SERVICE = plain("Service", "barn/stock", BEHIND)


@pytest.mark.parametrize(
    ("declared", "before", "after", "said"),
    [
        ((8080,), (ALL,), (8080,), ("narrowed",)),
        ((8080, 8081), (ALL,), (8080,), ("cut",)),
        ((), (ALL,), (8080,), ("cut",)),  # nothing is known of it
        ((8080,), (8080, 22), (8080,), ("narrowed",)),
        ((8080,), (22,), (), ("cut",)),  # nothing is left of it
        ((8080,), (8080,), (8080, 22), ("widened",)),
        ((8080,), (22,), (22, 8080), ("widened",)),
        ((8080,), (8080,), (9090,), ("opened", "cut")),  # it keeps nothing
        ((8080,), (), (22,), ("opened",)),  # there was nothing
        ((), (8080,), (ALL,), ("widened",)),
        ((8080,), (8080, 22), (8080, 23), ("widened", "narrowed")),
        ((8080, 22), (8080, 22), (8080, 23), ("widened", "cut")),
    ],
)
def test_the_ports_that_a_workload_declares_decide(declared, before, after, said):
    closed = {**policy(1), "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
    ends = [policy(*n) if n else closed for n in (before, after)]
    found = moved([CLIENT, pod("barn", "stock", *declared)], *ends)[2]
    assert {
        c.words for c in found if c.dst.name == "barn/stock[Pod]" and c.src.name == "barn/client[Pod]"
    } == {said}


def test_the_port_behind_a_service_is_used_though_nobody_declares_it():
    bare = pod("barn", "stock")
    assert words([CLIENT, bare, SERVICE], policy(ALL), policy(9000)) == ("narrowed",)
    assert words([CLIENT, bare, SERVICE], policy(ALL), policy(80)) == ("cut",)


def test_the_ports_of_recorded_flows_count():
    flows = {("barn/client[Pod]", "barn/stock[Pod]"): span("TCP", 5005, 5005)}
    workloads = [CLIENT, pod("barn", "stock", 8080)]
    assert words(workloads, policy(ALL), policy(8080), flows=flows) == ("cut",)
    assert words(workloads, policy(ALL), policy(8080, 5005), flows=flows) == ("narrowed",)


def test_what_only_narrows_is_low_and_what_only_widens_is_for_a_person():
    workloads = [CLIENT, pod("barn", "stock", 8080)]
    for before, after, level, said in (
        ((ALL,), (8080,), "low", "1 connection narrowed"),
        ((8080,), (8080, 22), "medium", "1 connection widened"),
        ((ALL,), (22,), "medium", "1 connection cut"),
    ):
        old, new, found = moved(workloads, policy(*before), policy(*after))
        effect = impact(old, new, found)
        for judged in (risk(found, effect), weighed(items(found, effect, RiskRules()), RiskRules())):
            assert (judged.level, judged.reasons) == (level, (said,))


PROMETHEUS = pod("monitoring", "prometheus")
FROM_MONITORING = ({"namespaceSelector": {}},)


def lost(workloads, before, after):
    ends = [policy(*n, others=FROM_MONITORING) for n in (before, after)]
    old, new, found = moved([PROMETHEUS, *workloads], *ends)
    return impact(old, new, found).scrapes


def test_a_scrape_is_lost_with_its_own_port_alone():
    noted = pod("barn", "stock", 8080, **{"prometheus.io/scrape": "true", "prometheus.io/port": "9100"})
    named = pod("barn", "stock", 8080, {"containerPort": 9100, "name": "metrics"})
    bare = pod("barn", "stock", 8080)
    spec = {"selector": {}, "podMetricsEndpoints": [{"portNumber": 9100}]}
    monitor = plain("PodMonitor", "barn/all", spec)
    for workloads in ([noted], [named], [bare, monitor]):
        assert lost(workloads, (ALL,), (9100,)) == (), workloads
        assert lost(workloads, (ALL,), (8080,)) == ("monitoring/prometheus[Pod] to barn/stock[Pod]",)
    assert lost([bare], (ALL,), (8080,)) == ()  # what is scraped there, if anything, is declared
    assert lost([pod("barn", "stock")], (ALL,), (8080,)) != ()


def test_a_port_for_metrics_counts_for_who_reads_them_alone():
    named = pod("barn", "stock", 8080, {"containerPort": 9100, "name": "metrics"})
    assert words([CLIENT, named], policy(ALL), policy(8080)) == ("narrowed",)
    both = pod("barn", "stock", 8080, 9000, **{"prometheus.io/scrape": "true", "prometheus.io/port": "8080"})
    assert words([CLIENT, both], policy(ALL), policy(9000)) == ("cut",)
    alone = pod("barn", "stock", {"containerPort": 9100, "name": "metrics"})
    assert words([CLIENT, alone], policy(ALL), policy(80)) == ("cut",)


def test_a_port_that_is_named_for_prometheus_may_be_what_dashboards_ask():
    asked = pod("barn", "stock", 8080, {"containerPort": 9090, "name": "prometheus"})
    assert words([CLIENT, asked], policy(ALL), policy(8080)) == ("cut",)


def test_a_monitor_of_another_shape_hides_nothing():
    for spec in (
        {"podMetricsEndpoints": "x"},
        {"selector": [], "podMetricsEndpoints": [1]},
        {"namespaceSelector": [1]},
    ):
        given = [CLIENT, pod("barn", "stock", 8080), plain("PodMonitor", "barn/x", spec)]
        assert words(given, policy(ALL), policy(8080)) == ("narrowed",)


def test_the_own_way_is_what_is_really_called():
    own = pod("netpol-canary", "controller", 8080)
    dns = {**pod("kube-system", "dns", {"containerPort": 53, "protocol": "UDP"}), "kind": "Pod"}

    def of(spec):
        return plain("NetworkPolicy", "netpol-canary/out", spec)

    def ways(*rules):
        every = of({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]})
        after = of({"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules)})
        old, new, found = moved([own, dns, PROMETHEUS, pod("barn", "stock", 8080)], every, after)
        return {text.partition(" to ")[2] for text in impact(old, new, found).own}

    needed = [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}, {"port": 5353, "protocol": "UDP"}]},
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]},
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]},
    ]
    assert ways(*needed) == set()  # stock is never called
    assert "monitoring/prometheus[Pod]" in ways(needed[0], needed[2])
    assert "kube-system/dns[Pod]" in ways(*needed[1:])
    assert any("0.0.0.0" in name for name in ways(*needed[:2]))
