"""Waves that a real Argo controller works on end as with the embedded engine, whatever becomes of their workflows.

On the cluster of KUBECONFIG, where Argo Workflows runs; NETPOL_CANARY_TEST_IMAGE names the image for the pods.
"""

import os
import shutil

import pytest
from argo_scene import OWN, ArgoScene, answers, installed

pytestmark = [pytest.mark.cluster, pytest.mark.argo]
IMAGE = "NETPOL_CANARY_TEST_IMAGE"
LONG = 60  # looks: enough for something to happen in between


@pytest.fixture(scope="module")
def argo(request):
    """A ControlPlane with a running Argo controller and what config/argo installs; skipped where there is none."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("a real Argo controller is looked for in the cluster of KUBECONFIG, which is not set")
    image = os.environ.get(IMAGE)
    if not image:
        pytest.skip(f"{IMAGE} names no image that the cluster's nodes have")
    plane = request.getfixturevalue("plane")
    kinds = plane.run("get", "crd", "-o", "name")
    if "workflowtemplates.argoproj.io" not in kinds or "workflows.argoproj.io" not in kinds:
        pytest.skip("Argo Workflows is not installed in the cluster of KUBECONFIG: it has no such CRDs")
    installed(plane, image)
    if not answers(plane):
        pytest.skip("no Argo controller looks at workflows in the cluster of KUBECONFIG")
    return plane


@pytest.fixture
def shop(argo, tmp_path):
    """An ArgoScene with the first policies in force."""
    found = ArgoScene(argo, tmp_path)
    found.furnish()
    yield found
    found.clear()


def ports(shop):
    return ["ports" in rule for rule in shop.rules()]


def test_a_change_is_promoted_by_one_workflow_a_wave(shop):
    with shop.rolling():
        shop.ended("Succeeded")
        assert ports(shop) == [True] * 3
        assert shop.finished(0) == shop.finished(1) == "Succeeded"
    nodes = shop.workflow(1)["status"]["nodes"].values()
    assert sum(n["type"] == "Pod" and n["displayName"].startswith("apply") for n in nodes) == 2
    assert {n.get("outputs", {}).get("exitCode") for n in nodes if n["type"] == "Pod"} == {"0"}


def test_a_regression_is_rolled_back(shop):
    before = shop.policies()
    with shop.rolling(LONG):
        shop.wait(shop.looked)
        assert shop.policies() != before
        shop.endpoint("beta", ready=False)
        shop.ended("RolledBack")
        assert shop.policies() == before and "endpoints in beta" in shop.why(), shop.why()
        assert shop.finished() == "Failed" and not shop.workflow(1)


@pytest.mark.parametrize(("word", "phase"), [("approve", "Succeeded"), ("reject", "RolledBack")])
def test_a_person_decides_between_two_waves(shop, word, phase):
    before = shop.policies()
    with shop.rolling(gates=[{"wave": 1}]):
        shop.wait(lambda: shop.status().get("pausedFor") == "approval")
        assert shop.finished() == "Succeeded" and not shop.pods() and not shop.workflow(1)
        done = shop.cli(word, "shop", "-m", "looked at")
        assert done.returncode == 0, done.stdout + done.stderr
        shop.ended(phase)
        assert (shop.policies() == before) == (word == "reject")


def test_an_abort_puts_back_and_the_pods_end_by_themselves(shop):
    before = shop.policies()
    with shop.rolling(LONG):
        shop.wait(shop.looked)
        assert shop.cli("abort", "shop").returncode == 0
        shop.ended("RolledBack")
        assert shop.policies() == before and "Aborted" in shop.reasons()
        assert shop.finished() == "Failed" and not shop.pods()


@pytest.mark.parametrize("word", ["Stop", "Terminate"])
def test_who_stops_a_workflow_has_its_wave_put_back(shop, word):
    before = shop.policies()
    with shop.rolling(LONG):
        shop.wait(shop.looked)
        shop.told(word)
        shop.ended("RolledBack")
        assert shop.policies() == before and "WorkflowStopped" in shop.reasons()
        assert shop.finished() == "Failed" and not shop.pods()


def test_a_wave_whose_workflow_is_deleted_is_taken_up_again(shop):
    with shop.rolling(looks=10):
        shop.wait(shop.looked)
        shop.plane.run("delete", "workflow", "-n", OWN, shop.workflow()["metadata"]["name"])
        shop.ended("Succeeded")
        assert ports(shop) == [True] * 3 and shop.reasons().count("WorkflowLost") == 1
        assert shop.finished(0, attempt=1) == "Succeeded"


def test_a_workflow_that_is_tried_again_after_the_end_changes_nothing(shop):
    if not shutil.which("argo"):
        pytest.skip("there is no program argo, which tries a workflow again")
    before = shop.policies()
    with shop.rolling(LONG):
        shop.wait(shop.looked)
        assert shop.cli("abort", "shop").returncode == 0
        shop.ended("RolledBack")
        assert shop.finished() == "Failed"
        ended = shop.workflow()["status"]["finishedAt"]
        shop.by_argo("retry")
        # Argo goes on to show such a workflow as Running until its deadline, though the pods have ended.
        shop.wait(lambda: any(end > ended for end in shop.ends("verdict", code="1")))
        shop.wait(lambda: not shop.pods())
        assert shop.policies() == before and shop.status()["phase"] == "RolledBack"


def test_a_workflow_that_is_submitted_twice_is_done_once(shop):
    if not shutil.which("argo"):
        pytest.skip("there is no program argo, which submits a workflow again")
    with shop.rolling(looks=15):
        shop.wait(shop.looked)
        shop.by_argo("resubmit")
        shop.ended("Succeeded")
        shop.wait(lambda: set(shop.workflows().values()) == {"Succeeded"})
        assert len(shop.workflows()) == 3 and ports(shop) == [True] * 3
        assert shop.reasons().count("Promoted") == 1, shop.reasons()


def test_the_way_back_needs_no_argo_controller(shop):
    if not shop.argo():
        pytest.skip("Argo's controller is no Deployment here that is called workflow-controller")
    before = shop.policies()
    with shop.rolling(LONG):
        shop.wait(shop.looked)
        with shop.argo_down():
            shop.endpoint("beta", ready=False)
            shop.ended("RolledBack")
            assert shop.policies() == before
            shop.wait(lambda: not shop.pods())
            assert shop.workflow()["status"]["phase"] == "Running"
        assert shop.finished() == "Failed"
    assert shop.status()["phase"] == "RolledBack" and shop.policies() == before
