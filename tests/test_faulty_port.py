"""A fault happens at the calls that are chosen and at no other, and counts them."""

import pytest
from faulty_port import WRITES, FaultyPort, Killed, instead, just_after, just_before, kills
from stage import OWN, Stage

from orchestrator.context import NAMESPACE, POLICY, SOURCE
from orchestrator.errors import Unreachable


@pytest.fixture
def cluster():
    return Stage().cluster


def annotated(cluster):
    source = cluster.get(SOURCE, "shop", OWN)
    return {**source, "metadata": {**source["metadata"], "annotations": {"a": "b"}}}


def test_calls_are_chosen_by_verb_kind_place_and_number(cluster):
    fault = just_before(Unreachable("no"), "list", "get", kind="NetworkPolicy", namespace="cart", at=2)
    port = FaultyPort(cluster, fault)
    port.list(NAMESPACE), port.list(POLICY), port.list(POLICY, namespace="cart")
    with pytest.raises(Unreachable):
        port.get(POLICY, "old", "cart")
    assert port.list(POLICY, "cart") == cluster.list(POLICY, "cart")
    assert [call.verb for call in fault.seen] == ["list", "get", "list"]
    assert [call.name for call in fault.met] == ["old"]


def test_before_a_call_nothing_has_happened_and_after_it_everything(cluster):
    for late, fault in enumerate((just_before(Unreachable("no")), just_after(Unreachable("no")))):
        with pytest.raises(Unreachable):
            FaultyPort(cluster, fault).replace(annotated(cluster))
        assert bool(cluster.get(SOURCE, "shop", OWN)["metadata"].get("annotations")) == late


def test_a_call_that_fails_by_itself_counts_and_meets_no_fault_after_it(cluster):
    fault = just_after(Unreachable("no"))
    with pytest.raises(Exception, match="nobody"):
        FaultyPort(cluster, fault).get(POLICY, "nobody", "cart")
    assert len(fault.seen) == 1 and not fault.met


def test_another_answer_can_be_made_of_the_real_one_and_a_lost_call_may_land_later(cluster):
    first = instead(lambda call: call.go_on()[:1], "list")
    lost = just_before(Unreachable("timed out"), *WRITES, dry_run=False)
    port = FaultyPort(cluster, first, lost)
    assert len(port.list(NAMESPACE)) == 1 < len(cluster.list(NAMESPACE))
    port.replace(annotated(cluster), dry_run=True)
    with pytest.raises(Unreachable):
        port.replace(annotated(cluster))
    lost.met[0].go_on()
    assert cluster.get(SOURCE, "shop", OWN)["metadata"]["annotations"] == {"a": "b"}


def test_who_was_killed_calls_no_port_of_its_any_more(cluster):
    death = kills(2, True)
    port, other = FaultyPort(cluster, death), FaultyPort(Stage().prober, death)
    port.list(NAMESPACE)
    for again in (lambda: other.held("key"), lambda: other.held("key"), lambda: port.list(NAMESPACE)):
        with pytest.raises(Killed):
            again()
    assert len(death.seen) == 2 and len(death.met) == 1
