"""Who answers in a probe's place is refused by admission, and not believed where admission does not stand."""

import json

import pytest
from probed_workloads import Probed, pod

from orchestrator.adapters.probes.answering_pods import pod_of, room
from orchestrator.adapters.probes.job_pod import JOB, MARKS, bare_pod
from orchestrator.adapters.probes.job_report import progress
from orchestrator.adapters.probes.probe_ends import POD
from orchestrator.errors import Forbidden
from orchestrator.ports import Probe
from orchestrator.probe.agent import VERSION
from orchestrator.rollout.resources.model import Probing


@pytest.fixture
def cluster():
    return Probed()


def claims(job, name="forged", **changed):
    """A pod that says it belongs to the Job, made of its own template."""
    template, meta = job["spec"]["template"], job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
    about = {"name": name, "namespace": meta["namespace"], "labels": template["metadata"]["labels"]}
    rows = [["refused", 0.01, 3, 0, 3]]
    done = {"exitCode": 0, "message": json.dumps({"v": VERSION, "results": rows})}
    status = {"phase": "Succeeded", "containerStatuses": [{"name": "probe", "state": {"terminated": done}}]}
    found = {"apiVersion": "v1", "kind": "Pod", "metadata": {**about, "ownerReferences": [owner]}}
    return {**found, "spec": template["spec"], "status": status, **changed}


class Mallory:
    """May create pods in one namespace, and does as soon as a probe Job stands there."""

    def __init__(self, cluster, make):
        self.api, self.make, self.done, self.refused = cluster.api, make, set(), []
        cluster.clock.subscribe(self.tick, 0.05)

    def tick(self, now):
        for job in self.api.list(JOB):
            if job["metadata"]["name"] not in self.done:
                self.done.add(job["metadata"]["name"])
                try:
                    self.api.acting_as("mallory").create(self.make(job))
                except Forbidden as error:
                    self.refused.append(str(error))


def differing(**container):
    """A pod whose one container is another one."""

    def make(job):
        spec = job["spec"]["template"]["spec"]
        return claims(job, spec={**spec, "containers": [{**spec["containers"][0], **container}]})

    return make


def test_in_the_sandbox_admission_refuses_such_a_pod_and_the_probe_is_answered(cluster):
    mallory = Mallory(cluster, claims)
    assert cluster.ask().observed is True
    (said,) = mallory.refused
    assert "made by the Job controller alone" in said


def test_two_pods_of_one_job_are_no_answer(cluster):
    cluster.api.vouches = False
    Mallory(cluster, claims)
    cluster.kubelet.start = 0.1
    found = cluster.ask()
    assert found.observed is None
    assert "pods claim to be that of Job shop/netpol-canary-test-" in found.message


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (differing(image="forged:1"), "the image of pod forged"),
        (differing(command=["sh"]), "the command of pod forged"),
        (differing(args=["-c"]), "the args of pod forged"),
        (differing(env=[]), "the env NETPOL_CANARY_PROBE_WORK of pod forged"),
        (differing(name="other"), "the list of containers of pod forged"),
        (
            lambda job: claims(job, spec={**job["spec"]["template"]["spec"], "hostNetwork": True}),
            "the hostNetwork of pod forged",
        ),
        (
            lambda job: claims(
                job, spec={**job["spec"]["template"]["spec"], "ephemeralContainers": [{"name": "x"}]}
            ),
            "the list of ephemeralContainers of pod forged",
        ),
    ],
)
def test_a_pod_that_is_not_what_its_job_asks_for_is_not_believed(cluster, make, said):
    cluster.api.vouches = False
    Mallory(cluster, make)
    cluster.kubelet.start = 1000  # the Job controller comes too late
    cluster.api.full = ("shop",)
    found = cluster.ask()
    assert found.observed is None and said in found.message and "not believed" in found.message


def test_a_pod_that_policies_do_not_select_as_the_workload_is_not_believed(cluster):
    job = held(cluster)
    other = claims(job)
    other["metadata"]["labels"] = {**other["metadata"]["labels"], "app": "other"}
    assert "the label app of pod forged" in pod_of([other], job)[1]


def test_what_webhooks_add_to_a_pod_is_no_reason_to_doubt_it(cluster):
    job = held(cluster)
    spec = job["spec"]["template"]["spec"]
    (probe,) = spec["containers"]
    more = {**probe, "env": [{"name": "ZONE", "value": "a"}, *probe["env"]]}
    real = claims(job, "real", spec={**spec, "nodeName": "n", "containers": [{"name": "agent"}, more]})
    real["metadata"]["labels"] = {**real["metadata"]["labels"], "batch.kubernetes.io/job-name": "x"}
    assert pod_of([real], job) == (real, "")


def held(cluster):
    cluster.kubelet.answer = lambda made, target: ("open", "")
    cluster.prober.hold([Probe("p", "shop/web", "pay/db", 5432, "TCP", True)], "wave-0")
    (job,) = cluster.api.list(JOB)
    return job


def test_connections_that_two_pods_say_they_hold_are_no_answer(cluster):
    job = held(cluster)
    assert [r.observed for r in cluster.prober.held("wave-0")] == [True]
    cluster.api.vouches = False
    cluster.api.acting_as("mallory").create(claims(job))
    (found,) = cluster.prober.held("wave-0")
    assert found.observed is None and "none is believed" in found.message


def test_only_the_job_controller_changes_whose_a_probe_pod_is(cluster):
    held(cluster)
    (made,) = (p for p in cluster.api.list(POD) if p["metadata"]["name"].startswith("netpol-canary-hold"))
    mallory = cluster.api.acting_as("mallory")
    moved = {**made, "metadata": {**made["metadata"], "labels": {"app": "other"}}}
    with pytest.raises(Forbidden, match="keep their labels"):
        mallory.replace(moved)
    swapped = {**made, "spec": {**made["spec"], "containers": [{"name": "probe", "image": "forged:1"}]}}
    with pytest.raises(Forbidden, match="stay as they are"):
        mallory.replace(swapped)
    mallory.create(pod("shop", "plain", {"app": "web"}))


def test_probe_jobs_are_made_by_those_who_work_on_rollouts_or_belong_to_none(cluster):
    job = held(cluster)
    mallory = cluster.api.acting_as("mallory")
    mine = {**job, "metadata": {**job["metadata"], "name": "netpol-canary-hold-1"}}
    with pytest.raises(Forbidden, match="who may create WaveAnalyses"):
        mallory.create(mine)
    labels = {**job["metadata"]["labels"], "netpol-canary.dev/probe-owner": "live_laptop-1"}
    mallory.create({**mine, "metadata": {**mine["metadata"], "labels": labels}})


def test_what_is_asked_of_the_api_server_about_a_job_is_no_pod_of_a_probe(cluster):
    """Admission would refuse that, and it would be taken for the reason why no pod comes."""
    job = held(cluster)
    assert not set(MARKS) & set(bare_pod(job)["metadata"]["labels"])
    cluster.api.acting_as("mallory").create(bare_pod(job), dry_run=True)


def test_a_sidecar_that_comes_first_does_not_answer_for_the_probe():
    other = {"name": "agent", "state": {"terminated": {"exitCode": 0, "message": "{}"}}}
    mine = {"name": "probe", "state": {"terminated": {"exitCode": 0, "message": "told"}}}
    assert progress({"status": {"containerStatuses": [other, mine]}}).message == "told"


def jobs_and_pods(*nodes):
    """A Job and its pod each; '' is a pod that is not scheduled, None no pod at all, '+n' one that runs on node n."""
    jobs, pods = [], []
    for number, node in enumerate(nodes):
        meta = {"name": f"j{number}", "namespace": "shop", "uid": f"u{number}"}
        template = {
            "metadata": {"labels": {}},
            "spec": {"containers": [{"name": "probe", "image": "img", "command": ["x"], "env": []}]},
        }
        jobs.append({"metadata": meta, "spec": {"template": template}})
        if node is None:
            continue
        owner = {"ownerReferences": [{"kind": "Job", "uid": f"u{number}"}], "name": f"p{number}"}
        spec = {**template["spec"], **({"nodeName": node.lstrip("+")} if node else {})}
        state = {"running": {}} if node.startswith("+") else {"waiting": {}}
        status = {"containerStatuses": [{"name": "probe", "state": state}]}
        pods.append({"metadata": owner, "spec": spec, "status": status})
    return jobs, pods


@pytest.mark.parametrize(
    ("nodes", "left"),
    [
        ((), 3),
        ((None, ""), 1),
        (("a", "b"), 2),
        (("a", "a", "b"), 1),
        (("+a", "+a", "+a"), 3),
        (("a", None), 1),
    ],
)
def test_so_many_pods_start_on_a_node_at_once_and_one_without_a_node_counts_for_each(nodes, left):
    assert room(*jobs_and_pods(*nodes), 3) == left


@pytest.mark.parametrize("bound", [1, 3])
def test_a_burst_of_probes_starts_a_few_pods_at_a_time_fresh_ones_and_held_ones(bound):
    cluster = Probed(starts_per_node=bound, pods_per_namespace=50, pods_at_once=50)
    for number in range(9):
        cluster.add(pod("shop", f"w{number}", {"app": f"w{number}"}))
    probes = [Probe(f"p{n}", f"shop/w{n}", "pay/db", 5432, "TCP", True) for n in range(9)]
    most = []

    def count(now):
        mine = [p for p in cluster.api.list(POD) if "ownerReferences" in p["metadata"]]
        began = {p["metadata"]["name"] for p in mine if progress(p).started or progress(p).ended}
        jobs = cluster.api.list(JOB)
        most.append(sum(f"{j['metadata']['name']}-x" not in began for j in jobs))

    cluster.clock.subscribe(count, 0.1)
    assert all(r.observed for r in cluster.prober.run(probes))
    cluster.kubelet.answer = lambda made, target: ("open", "")
    cluster.prober.hold(probes, "wave-0")
    assert len(cluster.prober.held("wave-0")) == 9
    assert 0 < max(most) <= bound


def test_what_a_probe_pod_may_take_comes_from_the_strategy():
    cluster = Probed(cpu_limit="50m", memory_request="8Mi")
    cluster.ask()
    (made,) = cluster.kubelet.pods
    given = made["spec"]["containers"][0]["resources"]
    assert given == {
        "requests": {"cpu": "10m", "memory": "8Mi"},
        "limits": {"cpu": "50m", "memory": "96Mi"},
    }
    with pytest.raises(ValueError):
        Probing(cpu_limit="a lot")
