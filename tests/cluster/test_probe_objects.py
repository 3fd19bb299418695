"""The real API server takes a probe Job and its pod, strictly validated, under Pod Security's strictest level."""

import uuid

import pytest
from patience import ENOUGH

from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.probes.job_pod import bare_pod, job
from orchestrator.adapters.probes.probe_ends import Batch
from orchestrator.errors import Forbidden, Invalid
from orchestrator.ports import Kind, Probe

pytestmark = pytest.mark.cluster
PROBE = Probe("web reaches db", "shop/web", "pay/db", 5432, "TCP", True)


@pytest.fixture
def api(plane):
    return connect(plane.kubeconfig, timeout=ENOUGH)


@pytest.fixture
def space(api, plane):
    name = f"t-{uuid.uuid4().hex[:8]}"
    labels = {"netpol-canary.dev/test": "true", "pod-security.kubernetes.io/enforce": "restricted"}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    plane.run("delete", "namespace", name, "--wait=false")


def made(space, mode="test"):
    labels = {"app": "web", "app.kubernetes.io/part-of": "shop"}
    batch = Batch(space, "web", 0, labels, ((0, PROBE),), ({"host": "10.0.0.1", "port": 5432},))
    return job(
        batch, mode, "registry.example/netpol-canary:1", "rollout-" + "x" * 80, "wave-0", 60, {"seconds": 28}
    )


@pytest.mark.parametrize("mode", ["test", "hold"])
def test_the_job_and_its_pod_are_taken_in_a_restricted_namespace(api, space, mode):
    wanted = made(space, mode)
    stored = api.create(wanted, dry_run=True)
    assert (
        stored["spec"]["template"]["spec"]["readinessGates"]
        == wanted["spec"]["template"]["spec"]["readinessGates"]
    )
    pod = api.create(bare_pod(wanted), dry_run=True)
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert api.list(Kind("batch/v1", "Job"), space) == []


def test_what_pod_security_has_against_a_pod_is_told(api, space):
    pod = bare_pod(made(space))
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(Forbidden, match="allowPrivilegeEscalation != false"):
        api.create(pod, dry_run=True)


def test_a_quota_shows_in_a_dry_run(api, space):
    hard = {"pods": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": space}}
    stored = api.create({**quota, "spec": {"hard": hard}})
    api.replace_status({**stored, "status": {"hard": hard, "used": {"pods": "0"}}})
    with pytest.raises(Forbidden, match="exceeded quota: none"):
        api.create(bare_pod(made(space)), dry_run=True)


def test_a_field_that_does_not_exist_is_refused_strictly(api, space):
    wanted = made(space)
    wanted["spec"]["backofLimit"] = 0
    with pytest.raises(Invalid, match="backofLimit"):
        api.create(wanted, dry_run=True)
