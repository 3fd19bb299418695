"""The plan names what takes probe pods for a workload's own, and what it could not look at."""

import pytest
from faulty_port import FaultyPort, just_before
from probed_workloads import web
from written import plain

from orchestrator.adapters.probes.lookalikes import MOST_TOLD, concerns
from orchestrator.errors import Forbidden
from orchestrator.ports import Probe
from orchestrator.sandbox.cluster import MemoryCluster

HASH = "5d8f7c9b6"


@pytest.fixture
def cluster():
    api = MemoryCluster()
    api.create(plain("Namespace", "shop"))
    api.create(web("web-1"))
    return api


def add(api, version, kind, name, spec):
    meta = {"name": name, "namespace": "shop"}
    api.create({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})


PROBES = [Probe("p", "shop/web", "pay/db", 1, "TCP", True), Probe("q", "shop/none", "pay/db", 1, "TCP", True)]


def test_who_takes_probe_pods_for_the_workloads_own_is_named(cluster):
    add(cluster, "autoscaling/v2", "HorizontalPodAutoscaler", "web", {"scaleTargetRef": {"name": "web"}})
    add(
        cluster,
        "policy/v1",
        "PodDisruptionBudget",
        "hash",
        {"selector": {"matchLabels": {"pod-template-hash": HASH}}},
    )
    (told,) = concerns(cluster, PROBES)
    assert told.startswith("HorizontalPodAutoscaler shop/web")


def test_a_kind_that_may_not_be_listed_is_said_and_the_others_are_looked_at(cluster):
    add(cluster, "v1", "Service", "all", {"publishNotReadyAddresses": True, "selector": {"app": "web"}})
    refused = just_before(Forbidden("may not"), "list", kind="PodDisruptionBudget")
    told = concerns(FaultyPort(cluster, refused), PROBES)
    assert "Service shop/all" in told[0]
    assert told[1] == "whether a PodDisruptionBudget selects probe pods was not checked: may not"


def test_no_more_are_told_than_people_read(cluster):
    for number in range(MOST_TOLD + 5):
        add(cluster, "policy/v1", "PodDisruptionBudget", f"b{number}", {"selector": {}})
    told = concerns(cluster, PROBES)
    assert len(told) == MOST_TOLD + 1 and told[-1] == "and 5 more"
    assert concerns(cluster, []) == []
