"""Probes run as Jobs in the workloads' place: what they carry, what comes of them, what they may cost."""

import itertools
import json

import pytest
from faulty_port import FaultyPort, instead, just_before
from probed_workloads import HASH, Probed, pod, web

from orchestrator.adapters.probes.job_pod import JOB, KEY_LABEL, OWNER_LABEL, label_value
from orchestrator.adapters.probes.prober import JobProber
from orchestrator.errors import Forbidden, RetryLater, Unreachable
from orchestrator.ports import Probe
from orchestrator.rollout.resources.model import Probing
from orchestrator.rollout.resources.objects import PROBE_LABEL


@pytest.fixture
def cluster():
    return Probed()


def test_a_probe_is_answered_from_the_workloads_place_and_nothing_is_left(cluster):
    found = cluster.ask()
    assert (found.observed, found.message) == (True, "connected in 4 ms")
    (made,) = cluster.kubelet.pods
    assert made["metadata"]["namespace"] == "shop"
    told = json.loads(made["spec"]["containers"][0]["env"][0]["value"])
    assert told["probes"] == [{"host": "10.0.1.5", "port": 5432, "reach": True}]
    assert cluster.left() == []


@pytest.mark.parametrize("source", ["shop/web", f"shop/web-{HASH}", "shop/web-6fb4d8c7x"])
def test_a_workload_is_known_by_its_deployments_name_and_by_a_replicasets_even_a_former_one(cluster, source):
    assert cluster.ask(source=source).observed is True


def test_results_come_one_a_probe_in_the_order_that_was_asked_for(cluster):
    cluster.kubelet.answer = lambda made, target: "connected" if target.port == 1 else "timeout"
    ends = [
        ("shop/web", "pay/db", 1),
        ("pay/db", "shop/web", 2),
        ("shop/none", "pay/db", 1),
        ("shop/web", "x.y", 2),
    ]
    probes = [Probe(str(i), a, b, port, "TCP", True) for i, (a, b, port) in enumerate(ends)]
    found = cluster.prober.run(probes)
    assert [r.probe for r in found] == probes
    assert [r.observed for r in found] == [True, False, None, False]
    assert found[2].message == "no pod of shop/none is seen"
    assert cluster.prober.run([]) == []


def test_its_pod_is_selected_as_the_workload_is_but_never_ready_nor_adopted_nor_privileged(cluster):
    cluster.ask()
    (made,) = cluster.kubelet.pods
    labels, spec = made["metadata"]["labels"], made["spec"]
    assert labels["app"] == "web" and "pod-template-hash" not in labels
    assert labels[PROBE_LABEL] == "test" and labels[OWNER_LABEL] == "rollout-1"
    assert labels["sidecar.istio.io/inject"] == "false"
    assert made["metadata"]["annotations"]["linkerd.io/inject"] == "disabled"
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Job"
    assert spec["readinessGates"] and spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
    (container,) = spec["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["resources"]["limits"] and container["resources"]["requests"]


def test_labels_that_say_which_pod_it_is_are_not_taken_over(cluster):
    cluster.ask(source="pay/db", destination="shop/web")
    (made,) = cluster.kubelet.pods
    kept = {
        k: v for k, v in made["metadata"]["labels"].items() if k in ("app",) or "pod-name" in k or "hash" in k
    }
    assert kept == {"app": "db"}


def test_its_job_ends_by_itself_should_nobody_come_back(cluster):
    seen = []
    cluster.clock.subscribe(lambda now: seen.extend(cluster.api.list(JOB)), 0.25)
    cluster.ask()
    spec = seen[0]["spec"]
    assert spec["backoffLimit"] == 0
    assert spec["activeDeadlineSeconds"] == 60 and spec["ttlSecondsAfterFinished"] > 0
    work = json.loads(spec["template"]["spec"]["containers"][0]["env"][0]["value"])
    assert work["seconds"] < spec["activeDeadlineSeconds"] / 2


def test_a_ready_destination_is_preferred_and_one_without_a_running_pod_is_said(cluster):
    cluster.add(web(f"web-{HASH}-0", ip="10.0.0.1", ready=False))
    cluster.ask(source="pay/db", destination="shop/web")
    told = json.loads(cluster.kubelet.pods[0]["spec"]["containers"][0]["env"][0]["value"])
    assert told["probes"][0]["host"] == "10.0.0.9"
    assert cluster.ask(destination="pay/none").message == "no pod of pay/none runs"


def test_a_probe_pod_is_nobodys_workload(cluster):
    labels = {"app": "web", PROBE_LABEL: "hold"}
    cluster.add(pod("shop", "imitation", labels, ip="10.9.9.9"))
    assert cluster.ask(source="pay/db", destination="shop/imitation").observed is None


def test_who_runs_in_the_nodes_network_cannot_be_imitated(cluster):
    cluster.add(pod("shop", "agent-1", {"app": "agent"}, ("DaemonSet", "agent"), spec={"hostNetwork": True}))
    found = cluster.ask(source="shop/agent")
    assert found.observed is None and "node's network" in found.message


def test_our_own_listener_is_asked_for_its_nonce(cluster):
    cluster.add(pod("pay", "ear", {"netpol-canary.dev/listener": "true"}, ip="10.0.1.7"))
    cluster.ask(destination="pay/ear")
    told = json.loads(cluster.kubelet.pods[0]["spec"]["containers"][0]["env"][0]["value"])
    assert told["probes"][0]["nonce"] is True


ANSWERS = [
    ("TCP", "refused", True, False),
    ("TCP", "timeout", True, False),
    ("TCP", "reset", True, False),
    ("TCP", "unreachable", True, False),
    ("TCP", "unresolved", True, False),
    ("TCP", "unresolved", False, None),
    ("TCP", "other", True, None),
    ("TCP", "error", True, None),
    ("UDP", "connected", True, True),
    ("UDP", "refused", True, False),
    ("UDP", "timeout", True, None),
    ("SCTP", "unsupported", True, None),
]


@pytest.mark.parametrize(("protocol", "answer", "reachable", "observed"), ANSWERS)
def test_what_an_answer_proves(cluster, protocol, answer, reachable, observed):
    cluster.kubelet.answer = lambda made, target: answer
    assert cluster.ask(protocol=protocol, reachable=reachable).observed is observed


def test_a_resolver_that_is_silent_is_cut_off(cluster):
    cluster.kubelet.answer = lambda made, target: "timeout"
    assert cluster.ask(protocol="UDP", port=53, check="dns").observed is False


def test_answers_that_keep_changing_are_no_answer(cluster):
    cluster.kubelet.settled = 0
    found = cluster.ask()
    assert found.observed is None and "kept changing" in found.message


def test_what_the_message_cannot_hold_is_read_from_the_log(cluster):
    cluster.kubelet.fits = False
    assert cluster.ask().observed is True
    many = [Probe(str(i), "shop/web", "pay/db", 1 + i, "TCP", True) for i in range(149)]
    cluster.kubelet.fits = True
    assert all(r.observed for r in cluster.prober.run(many))


def test_a_quota_that_stops_the_pod_is_named_at_once(cluster):
    cluster.api.full = ("shop",)
    began = cluster.clock.now()
    found = cluster.ask()
    assert found.observed is None
    assert found.message.startswith("probe Jobs cannot start in shop: Forbidden: exceeded quota: small")
    assert (cluster.clock.now() - began).total_seconds() < 10
    assert cluster.left() == []


def test_a_job_that_is_refused_is_named_and_the_others_go_on(cluster):
    cluster.api.jobless = ("shop",)
    back = Probe("b", "pay/db", "shop/web", 1, "TCP", True)
    found = cluster.prober.run([Probe("a", "shop/web", "pay/db", 1, "TCP", True), back])
    assert "webhook denied" in found[0].message and found[0].observed is None
    assert found[1].observed is True


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"waiting": "ImagePullBackOff"}, "probe Jobs cannot start: ImagePullBackOff: no such image"),
        (
            {"unschedulable": "0/3 nodes are available"},
            "cannot start: Unschedulable: 0/3 nodes are available, after",
        ),
        ({"start": 1000.0}, "probe Jobs cannot start: the pod did not start, after"),
        (
            {"crash": {"exitCode": 128, "reason": "StartError", "message": "no such file"}},
            "StartError: no such file",
        ),
        ({"crash": {"exitCode": 137, "reason": "OOMKilled"}}, "OOMKilled: exit code 137"),
        ({"crash": {"exitCode": 0, "message": "hello"}}, "the probe pod's answer cannot be read"),
    ],
)
def test_a_pod_that_cannot_start_or_ends_wrongly_says_why_within_its_time(cluster, trouble, said):
    for name, value in trouble.items():
        setattr(cluster.kubelet, name, value)
    began = cluster.clock.now()
    found = cluster.ask()
    assert found.observed is None and said in found.message
    assert (cluster.clock.now() - began).total_seconds() <= 61
    assert cluster.left() == []


def workloads(cluster, count):
    names = [f"job-{i}" for i in range(count)]
    for name in names:
        cluster.add(pod("shop", name, {"app": name}))
    return [Probe(n, f"shop/{n}", "pay/db", 1, "TCP", True) for n in names]


@pytest.mark.parametrize("bound", [{"pods_per_namespace": 3}, {"pods_at_once": 3, "pods_per_namespace": 50}])
def test_no_more_pods_than_allowed_stand_at_once(bound):
    cluster = Probed(**bound)
    found = cluster.prober.run(workloads(cluster, 8))
    assert all(r.observed for r in found)
    assert cluster.kubelet.most == 3


def test_a_run_ends_at_its_deadline_whatever_its_jobs_do():
    cluster = Probed(pods_per_namespace=1, seconds=10)
    cluster.kubelet.start = 1000.0
    began = cluster.clock.now()
    found = cluster.prober.run(workloads(cluster, 20))
    assert (cluster.clock.now() - began).total_seconds() <= 45
    assert {r.observed for r in found} == {None}
    assert "not tried" in found[-1].message
    assert cluster.left() == []


def leftover(cluster, name, owner):
    meta = {"name": name, "namespace": "pay", "labels": {PROBE_LABEL: "test", OWNER_LABEL: owner}}
    template = {"metadata": {"labels": meta["labels"]}, "spec": {"containers": []}}
    cluster.add({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}})


def test_what_a_dead_predecessor_left_is_removed_and_others_jobs_are_not(cluster):
    leftover(cluster, "left-1", "rollout-1")
    leftover(cluster, "left-2", "rollout-2")
    hidden = instead(lambda call: [o for o in call.go_on() if "left" not in o["metadata"]["name"]], "list")
    cluster.kubelet.cluster = FaultyPort(cluster.api, hidden)
    assert cluster.ask().observed is True
    assert cluster.left() == ["left-2"]


def test_a_process_that_is_asked_to_end_ends_soon_and_takes_its_jobs_along(cluster):
    prober = JobProber(cluster.api, Stopping(cluster.clock), Probing(), "img", "rollout-1")
    with pytest.raises(RetryLater):
        prober.run([Probe("p", "shop/web", "pay/db", 1, "TCP", True)])
    assert cluster.left() == []


class Stopping:
    """A clock whose sleep ends at once, as when the process is asked to end."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        return self._clock.now()

    def sleep(self, seconds):
        """At once."""


def of_some(call):
    """Whether it asks by labels."""
    return call.labels


def test_a_failure_in_the_middle_leaves_nothing_behind():
    gone = just_before(Unreachable("gone"), "list", kind="Pod", namespace=None, where=of_some, at=3)
    cluster = Probed(gone)
    with pytest.raises(Unreachable):
        cluster.ask()
    assert cluster.left() == []


def test_who_may_look_into_these_namespaces_only_can_probe_too():
    refused = just_before(Forbidden("not at the cluster scope"), "list", namespace=None, where=of_some)
    cluster = Probed(refused)
    assert cluster.ask().observed is True and refused.met
    assert cluster.api.list(JOB) == []


def test_an_owners_name_becomes_a_valid_label(cluster):
    assert label_value("rollout-1") == "rollout-1"
    for text in ("x" * 200, "a b", "-", "", "päy"):
        value = label_value(text)
        assert len(value) <= 63 and value[0].isalnum() and value[-1].isalnum() and value.isascii()
    assert label_value("x" * 200) != label_value("x" * 201)


def test_a_dollar_in_a_host_name_is_not_expanded_by_the_kubelet(cluster):
    cluster.ask(destination="$(PATH)")
    text = cluster.kubelet.pods[0]["spec"]["containers"][0]["env"][0]["value"]
    assert "$" not in text and json.loads(text)["probes"][0]["host"] == "$(PATH)"


def test_who_waits_for_probes_is_asked_each_second_whether_it_still_may(cluster):
    cluster.kubelet.start, beats = 8.0, []
    JobProber(
        cluster.api, cluster.clock, Probing(), "img", "r", lambda: beats.append(cluster.clock.now())
    ).run([Probe("p", "shop/web", "pay/db", 1, "TCP", True)])
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(beats)]
    assert len(beats) > 15 and max(gaps) <= 1.0


# Connections that are held


TO_DB = Probe("a", "shop/web", "pay/db", 1, "TCP", True)


def hold(cluster):
    """One connection, which opens."""
    cluster.kubelet.answer = lambda made, target: ("open", "")
    cluster.prober.hold([TO_DB], "wave-0")


def held(cluster, states, key="wave-0"):
    """Hold two connections from two workloads, then let them come to these states."""
    cluster.kubelet.answer = lambda made, target: ("open", "")
    cluster.prober.hold([TO_DB, Probe("b", "pay/db", "shop/web", 2, "TCP", True)], key)
    cluster.kubelet.answer = lambda made, target: states[target.port - 1]
    cluster.clock.sleep(5)
    return {r.probe.name: r for r in cluster.prober.held(key)}


def test_held_connections_are_open_when_hold_returns_and_can_be_asked_about_until_they_are_released(cluster):
    found = held(cluster, [("open", ""), ("broke", "timeout")])
    assert [found[n].observed for n in ("a", "b")] == [True, False]
    assert found["a"].probe == TO_DB
    assert found["b"].message.endswith("timed out")
    assert {r.probe.name for r in cluster.prober.held("wave-0")} == {"a", "b"}
    cluster.prober.release("wave-0")
    assert cluster.left() == [] and cluster.prober.held("wave-0") == []


def test_what_was_closed_by_the_server_or_never_opened_proves_nothing(cluster):
    found = held(cluster, [("closed", "closed"), ("never", "refused")])
    assert [found[n].observed for n in ("a", "b")] == [None, None]


def test_a_peer_that_went_silent_just_now_is_waited_for_until_that_is_called_broken(cluster):
    hold(cluster)
    cluster.kubelet.quiet, began = 3.0, cluster.clock.now()
    cut = lambda: (cluster.clock.now() - began).total_seconds() > 2  # noqa: E731
    cluster.kubelet.answer = lambda made, target: ("broke", "timeout") if cut() else ("open", "")
    cluster.clock.sleep(0.25)
    assert [r.observed for r in cluster.prober.held("wave-0")] == [False]


def test_waiting_for_a_silent_peer_has_an_end(cluster):
    hold(cluster)
    cluster.kubelet.quiet = 100.0
    cluster.clock.sleep(0.25)
    began = cluster.clock.now()
    assert [r.observed for r in cluster.prober.held("wave-0")] == [None]
    assert (cluster.clock.now() - began).total_seconds() < 12


def test_holding_twice_under_a_key_holds_once_and_another_process_can_ask(cluster):
    for _ in range(2):
        hold(cluster)
    assert len(cluster.kubelet.pods) == 1
    (job,) = cluster.api.list(JOB)
    assert job["metadata"]["labels"][KEY_LABEL] == "wave-0"
    assert job["spec"]["activeDeadlineSeconds"] == Probing().long_lived_seconds
    other = JobProber(cluster.api, cluster.clock, Probing(), "img", "rollout-1")
    assert other.held("wave-1") == []
    (found,) = other.held("wave-0")
    assert found.probe == TO_DB and found.observed is True


def test_a_run_leaves_what_is_held_alone(cluster):
    hold(cluster)
    held_answer = cluster.kubelet.answer
    cluster.kubelet.answer = lambda made, target: (
        held_answer(made, target) if made["metadata"]["labels"][PROBE_LABEL] == "hold" else "connected"
    )
    assert cluster.ask().observed is True
    assert [r.observed for r in cluster.prober.held("wave-0")] == [True]


def test_a_pod_that_cannot_start_does_not_stop_the_hold_and_is_told_afterwards(cluster):
    cluster.kubelet.waiting = "ImagePullBackOff"
    began = cluster.clock.now()
    cluster.prober.hold([TO_DB], "wave-0")
    assert (cluster.clock.now() - began).total_seconds() <= 31
    (found,) = cluster.prober.held("wave-0")
    assert found.observed is None and "ImagePullBackOff" in found.message
    cluster.prober.release("wave-0")
    assert cluster.left() == []
