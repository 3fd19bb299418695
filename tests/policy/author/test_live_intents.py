"""Intents become a bounded list of connections, spread over what they mean."""

import pytest
from written import plain

from orchestrator.policy.author.intents import tests_of as read
from orchestrator.policy.author.live_intents import MOST_PER_INTENT, MOST_TRIED, outcome, spread, trials
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import fleet


def pod(space, name, ports=(8080,)):
    spec = {"containers": [{"name": "c", "ports": [{"containerPort": p} for p in ports]}]}
    return Document(plain("Pod", f"{space}/{name}", spec, {"app": name}), "p.yaml", 1)


def rules(**spec):
    return read([Document(plain("PolicyTest", "t", spec), "t.yaml", 7)])


def intent(src, dst, expect="reach", name="i", port=8080, protocol="TCP"):
    ports = [{"port": port, "protocol": protocol}]
    return {"name": name, "expect": expect, "from": src, "to": dst, "ports": ports}


MANY = fleet(
    [*(pod("shop", f"web-{i:03}") for i in range(80)), pod("pay", "api"), pod("pay", "mute", ports=())]
)


def test_at_most_so_many_connections_are_tried_evenly_spread_and_all_of_them_counted():
    (trial,) = trials(MANY, rules(intents=[intent({"namespace": "shop"}, {"workload": "pay/api"})]))
    assert len(trial.connections) == MOST_PER_INTENT and trial.possible == 80
    assert trial.connections[0].source == "shop/web-000" and trial.connections[-1].source > "shop/web-075"


def test_many_rules_share_the_bound():
    many = [intent({"namespace": "shop"}, {"workload": "pay/api"}, name=str(i)) for i in range(100)]
    found = trials(MANY, rules(intents=many))
    assert sum(len(t.connections) for t in found) <= MOST_TRIED and all(t.connections for t in found)
    too_many = trials(MANY, rules(intents=many * 5))
    assert sum(len(t.connections) for t in too_many) == MOST_TRIED
    assert outcome(too_many[-1], []).state == "unknown"


def test_nobody_but_the_named_ones_is_asked_of_an_only_rule():
    rule = {"name": "o", "to": {"workload": "pay/api"}, "onlyFrom": [{"namespace": "shop"}]}
    (trial,) = trials(MANY, rules(only=[rule]))
    assert [(c.source, c.reach) for c in trial.connections] == [("pay/mute", False)]
    assert trial.untried == ("whether somebody outside the cluster may use it",)
    (silent,) = trials(MANY, rules(only=[{**rule, "to": {"workload": "pay/mute"}}]))
    assert silent.connections == () and "declares no port" in silent.untried[1]


@pytest.mark.parametrize(
    ("src", "dst", "said"),
    [
        ({"address": "192.0.2.7"}, {"workload": "pay/api"}, "a probe cannot start outside the cluster"),
        ({"internet": True}, {"workload": "pay/api"}, "a probe cannot start outside the cluster"),
        ({"workload": "pay/api"}, {"internet": True}, "no single address stands for the internet"),
    ],
)
def test_what_no_probe_can_ask_is_skipped_and_says_why(src, dst, said):
    (trial,) = trials(MANY, rules(intents=[intent(src, dst)]))
    assert trial.connections == () and trial.untried == (said,)
    assert outcome(trial, []).state == "skipped"


def test_an_address_can_be_a_destination_and_a_resolver_is_asked_as_one():
    (one, two) = trials(
        MANY,
        rules(
            intents=[
                intent({"workload": "pay/api"}, {"address": "192.0.2.7"}),
                intent({"workload": "pay/api"}, {"workload": "pay/mute"}, port=53, protocol="UDP"),
            ]
        ),
    )
    assert (one.connections[0].destination, one.connections[0].check) == ("192.0.2.7", "connect")
    assert two.connections[0].check == "dns"


def test_items_are_spread_evenly():
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread(range(2), 5) == [0, 1]
    assert spread([], 5) == []
