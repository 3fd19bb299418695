"""The Kubernetes API tells what is ready, restarts, serves and warns, now and as far back as objects remember."""

from datetime import timedelta

import pytest
from faulty_port import FaultyPort, counted, just_before
from written import plain

from orchestrator.adapters.metrics.kubernetes import KubernetesSource
from orchestrator.errors import Forbidden, MetricError
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster

CLOCK = SimulatedClock()
NOW = CLOCK.now()


def stamp(seconds):
    """So many seconds before now, as manifests write it."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(name, space="pay", ready=True, turned=600, restarts=0, started=600, phase="Running", labels=None):
    container = {"name": "c", "restartCount": restarts, "state": {"running": {"startedAt": stamp(started)}}}
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": stamp(turned)}
    status = {"phase": phase, "conditions": [condition], "containerStatuses": [container]}
    spec = {"containers": [{"name": "c", "image": "c"}]}
    return plain("Pod", f"{space}/{name}", spec, labels or {}, status=status)


def event(name, space="pay", kind="Warning", about="api-1", count=1, first=600, last=600, reporter="kubelet"):
    given = {"type": kind, "count": count, "firstTimestamp": stamp(first), "lastTimestamp": stamp(last)}
    given |= {"involvedObject": {"kind": "Pod", "name": about}, "source": {"component": reporter}}
    return plain("Event", f"{space}/{name}", **given)


def slice_(name, *ready, space="pay"):
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {} if r is None else {"ready": r}} for r in ready]
    return plain("EndpointSlice", f"{space}/{name}", addressType="IPv4", endpoints=endpoints)


@pytest.fixture
def ask():
    """`ask(expression, *objects)`: values by namespace, in a cluster that was made half an hour ago."""

    def run(expression, *objects, ago=0):
        clock = SimulatedClock(NOW - timedelta(minutes=30))
        cluster = MemoryCluster(clock)
        for space in ("pay", "web", "idle"):
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
        for obj in objects:
            cluster.create(obj)
        found = KubernetesSource(cluster, CLOCK).query(expression, NOW - timedelta(seconds=ago))
        return {s.labels["namespace"]: s.value for s in found}

    return run


BOTH = '{namespace=~"pay|idle"}'


def test_pods_count_by_their_ready_condition_and_a_namespace_without_pods_says_nothing(ask):
    pods = (pod("a"), pod("b"), pod("c", ready=False), pod("w", "web"))
    assert ask(f"ready{BOTH}", *pods) == {"pay": 2.0}
    assert ask(f"unready{BOTH}", *pods) == {"pay": 1.0}
    assert ask("ready", *pods) == {"pay": 2.0, "web": 1.0}
    assert ask('ready{namespace="web"}', *pods) == {"web": 1.0}


def test_probes_finished_pods_and_pods_that_end_do_not_count(ask):
    ending = pod("e", ready=False)
    ending["metadata"]["deletionTimestamp"] = stamp(5)
    probe = pod("p", ready=False, labels={"netpol-canary.dev/probe": "test"})
    others = (ending, probe, pod("d", ready=False, phase="Succeeded"), pod("f", ready=False, phase="Failed"))
    assert ask(f"unready{BOTH}", pod("a"), *others) == {"pay": 0.0}


def test_what_a_pod_was_before_its_last_transition_is_the_opposite(ask):
    fallen = pod("a", ready=False, turned=20)
    assert ask(f"ready{BOTH}", fallen, ago=60) == {"pay": 1.0}
    assert ask(f"ready{BOTH}", fallen) == {"pay": 0.0}
    assert ask(f"unready{BOTH}", pod("a", turned=20), ago=60) == {"pay": 1.0}


def test_a_pod_that_was_not_there_yet_does_not_count_for_that_time(ask):
    assert ask(f"ready{BOTH}", pod("a"), ago=7200) == {}


def test_restarts_are_a_counter_of_which_the_last_step_is_known(ask):
    pods = (pod("a", restarts=3, started=20), pod("b", restarts=2))
    assert ask(f"restarts{BOTH}", *pods) == {"pay": 5.0}
    assert ask(f"restarts{BOTH}", *pods, ago=60) == {"pay": 4.0}


def test_a_container_that_crashed_and_waits_has_restarted_by_its_end(ask):
    waiting = pod("a", restarts=1)
    ended = {"terminated": {"finishedAt": stamp(10)}}
    status = {"name": "c", "restartCount": 1, "state": {"waiting": {}}, "lastState": ended}
    waiting["status"]["containerStatuses"] = [status]
    assert ask(f"restarts{BOTH}", waiting) == {"pay": 1.0}
    assert ask(f"restarts{BOTH}", waiting, ago=60) == {"pay": 0.0}


def test_ready_endpoints_are_counted_and_one_that_says_nothing_is_ready(ask):
    slices = (slice_("a", True, False, None), slice_("b", True), slice_("w", True, space="web"))
    assert ask(f"endpoints{BOTH}", *slices) == {"pay": 3.0}


def test_warnings_count_in_every_namespace_that_is_asked_for(ask):
    events = (event("a", count=4, last=10), event("b"), event("n", kind="Normal"), event("w", "web"))
    assert ask(f"warnings{BOTH}", *events) == {"pay": 5.0, "idle": 0.0}
    assert ask(f"warnings{BOTH}", *events, ago=60) == {"pay": 4.0, "idle": 0.0}
    assert ask(f"warnings{BOTH}", event("a", first=10, last=10), ago=60) == {"pay": 0.0, "idle": 0.0}


def test_our_own_warnings_and_those_about_our_probes_do_not_count(ask):
    ours = (event("a", about="netpol-canary-test-1a2b-x"), event("b", reporter="netpol-canary"))
    assert ask(f"warnings{BOTH}", *ours) == {"pay": 0.0, "idle": 0.0}


def test_many_namespaces_are_one_question():
    lists = counted("list")
    cluster = FaultyPort(MemoryCluster(), lists)
    names = "|".join(f"n{i}" for i in range(50))
    assert KubernetesSource(cluster, CLOCK).query(f'ready{{namespace=~"{names}"}}', NOW) == []
    assert len(lists.seen) == 1


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("cpu", "takes one of ready, unready, restarts, endpoints, warnings"),
        ("sum(ready)", "not understood"),
        ('ready{pod="a"}', "not understood"),
        ('ready{namespace=~"pay.*"}', "pay.* is no namespace"),
    ],
)
def test_an_expression_that_is_not_understood_names_those_that_are(ask, expression, said):
    with pytest.raises(MetricError) as error:
        ask(expression)
    assert said in str(error.value)


def test_what_the_api_cannot_know_is_said(ask):
    with pytest.raises(MetricError, match="does not know endpoints of the past"):
        ask("endpoints", ago=60)
    with pytest.raises(MetricError, match="sequential tests need Prometheus"):
        KubernetesSource(MemoryCluster(), CLOCK).query_range("ready", NOW, NOW, 5)


def test_a_refusal_of_the_api_server_is_a_metric_error():
    closed = FaultyPort(MemoryCluster(), just_before(Forbidden("events is forbidden"), "list"))
    with pytest.raises(MetricError, match="gave no Event list: events is forbidden"):
        KubernetesSource(closed, CLOCK).query("warnings", NOW)
