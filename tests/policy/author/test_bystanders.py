"""Autoscalers, budgets and Services that take probe pods for the workload's own are named."""

import pytest

from orchestrator.policy.author.bystanders import Imitation, bystanders

WEB = Imitation("shop", "web", {"app": "web", "tier": "front"})


def obj(kind, spec, name="x", space="shop"):
    return {"kind": kind, "metadata": {"name": name, "namespace": space}, "spec": spec}


def hpa(target):
    return obj("HorizontalPodAutoscaler", {"scaleTargetRef": {"kind": "Deployment", "name": target}})


NAMED = {
    "an autoscaler of the workload": (
        hpa("web"),
        "HorizontalPodAutoscaler shop/x counts the probe pods of shop/web",
    ),
    "a budget over its labels": (
        obj("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "web"}}}),
        "PodDisruptionBudget shop/x selects the probe pods of shop/web",
    ),
    "a budget over everything": (obj("PodDisruptionBudget", {"selector": {}}), "evictions may be refused"),
    "a Service that publishes what is not ready": (
        obj("Service", {"publishNotReadyAddresses": True, "selector": {"app": "web"}}),
        "publishes addresses that are not ready",
    ),
}
UNTOUCHED = {
    "an autoscaler of another workload": hpa("api"),
    "a budget over other labels": obj("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "api"}}}),
    "a budget over nothing": obj("PodDisruptionBudget", {}),
    "a Service that waits for readiness": obj("Service", {"selector": {"app": "web"}}),
    "a Service without a selector": obj("Service", {"publishNotReadyAddresses": True}),
    "the same in another namespace": obj("PodDisruptionBudget", {"selector": {}}, space="pay"),
}


@pytest.mark.parametrize("case", NAMED)
def test_it_is_named(case):
    found, said = NAMED[case]
    (told,) = bystanders([found], [WEB, WEB])
    assert said in told


@pytest.mark.parametrize("case", UNTOUCHED)
def test_it_is_left_out(case):
    assert bystanders([UNTOUCHED[case]], [WEB]) == []
