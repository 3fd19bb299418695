"""One replica to another is a connection of its own; a pod to itself is always let pass."""

import pytest
from written import plain

from orchestrator.policy.author import intents
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network import recordings
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import reach
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.fleet import fleet

DENY = {"podSelector": {}, "policyTypes": ["Ingress"]}
AMONG = {
    "podSelector": {},
    "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "quorum"}}}], "ports": [{"port": 2380}]}],
}


SCALED = {"maxReplicas": 4, "scaleTargetRef": {"kind": "Deployment", "name": "quorum"}}


def workload(kind="StatefulSet", **spec):
    template = {"metadata": {"labels": {"app": "quorum"}}, "spec": {"containers": [{"name": "c"}]}}
    return plain(kind, "vault/quorum", {**spec, "template": template})


def live(name, owner="quorum", kind="StatefulSet", **labels):
    owners = {"ownerReferences": [{"kind": kind, "name": owner, "controller": True}]}
    return plain("Pod", f"vault/{name}", {"containers": [{"name": "c"}]}, {"app": "quorum", **labels}, owners)


def policy(spec):
    return plain("NetworkPolicy", "vault/quorum", spec)


def made(*objects):
    return fleet(Document(o, "vault.yaml", n * 10 + 1) for n, o in enumerate(objects))


def among(found):
    """On which ports the workload may connect to itself, as `reach` and the evaluator say it."""
    said = [port_sets.text(c.ports) for c in reach(found, replicas=True) if c.src is c.dst]
    pods = [w.pod for w in found.workloads]
    asked = found.network().over_ports(pods[0], pods[-1], port_sets.ALL)
    return said, port_sets.text(asked)


@pytest.mark.parametrize(
    "objects",
    [
        [workload(replicas=3)],
        [workload("DaemonSet")],
        [workload("Job", parallelism=2)],
        [workload("Deployment"), plain("HorizontalPodAutoscaler", "vault/any", SCALED)],
        [live("quorum-0"), live("quorum-1")],
    ],
)
def test_replicas_reach_each_other_by_a_rule_alone(objects):
    assert among(made(*objects, policy(DENY))) == ([], "none")
    assert among(made(*objects, policy(AMONG))) == (["TCP 2380"], "TCP 2380")
    assert among(made(*objects)) == (["all"], "all")


@pytest.mark.parametrize(
    "objects",
    [
        [workload()],
        [workload(replicas=1)],
        [workload("Job")],
        [live("quorum-0")],
        # An update has one pod of each template.
        [
            live("quorum-7c9d-x", "quorum-7c9d", "ReplicaSet", **{"pod-template-hash": "7c9d"}),
            live("quorum-55f4-y", "quorum-55f4", "ReplicaSet", **{"pod-template-hash": "55f4"}),
        ],
    ],
)
def test_a_single_pod_is_always_let_pass_to_itself_and_is_no_connection(objects):
    assert among(made(*objects, policy(DENY))) == ([], "all")


def test_pods_of_a_statefulset_that_their_labels_tell_apart_are_replicas():
    pods = [live(f"quorum-{n}", **{"statefulset.kubernetes.io/pod-name": f"quorum-{n}"}) for n in (0, 1)]
    found = made(*pods, policy(DENY))
    assert len(found.workloads) == 2 and reach(found, replicas=True) == [
        c for c in reach(found) if "vault" not in c.dst.name or c.src.name != c.dst.name
    ]
    assert found.network().allowed(found.workloads[0].pod, found.workloads[1].pod, "TCP", 2380) is False


def test_taking_the_rule_of_replicas_away_cuts_them_with_its_reason_and_in_replay():
    old, new = made(workload(replicas=3), policy(AMONG)), made(workload(replicas=3), policy(DENY))
    (change,) = changes(old, new, replicas=True)
    assert change.said == "cut" and change.src is change.dst
    assert any("vault/quorum ingress[0]" in reason for reason in change.because)
    flow = recordings.Flow("vault/quorum", "vault/quorum", "TCP", 2380)
    assert (recordings.replay(old, [flow]).allowed, len(recordings.replay(new, [flow]).cut)) == (1, 1)


def test_more_replicas_are_no_change_of_connections():
    assert changes(made(workload(replicas=1)), made(workload(replicas=5)), replicas=True) == []


def test_an_intent_that_names_replicas_is_asked_among_them_and_only_from_is_not():
    spec = {
        "intents": [
            {
                "name": "they agree",
                "expect": "reach",
                "from": {"workload": "quorum"},
                "to": {"workload": "quorum"},
                "ports": [{"port": 2380}],
            }
        ],
        "only": [{"name": "nobody else", "to": {"workload": "quorum"}, "onlyFrom": [{"internet": True}]}],
    }
    test = intents.PolicyTest.model_validate(spec)
    for rules, holds in ((AMONG, True), (DENY, False)):
        found = intents.run(made(workload(replicas=2), policy(rules)), [(test, "t.yaml:1")], {})
        assert [not r.problems for r in found] == [holds, True]


def test_objects_of_another_shape_say_nothing_of_replicas():
    odd = [{**live("x"), "metadata": {"name": "x", "namespace": "vault", "labels": ["a"]}}]
    assert reach(made(workload(replicas=2), *odd), replicas=True)
