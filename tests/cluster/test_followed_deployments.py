"""A change goes with an Argo Rollout and with a Canary of Flagger, both as objects on a real API server."""

import json

import pytest
import yaml
from installed import ARGO_ROLLOUT, FLAGGER_CANARY
from patience import KUBECTL
from scene import Scene, policy, watching

pytestmark = pytest.mark.cluster

TOOLS = {
    "argo": (
        ARGO_ROLLOUT,
        {"argoRollout": "beta/app"},
        {
            "running": {"phase": "Paused", "stableRS": "old", "currentPodHash": "new"},
            "promoted": {"phase": "Healthy", "stableRS": "new", "currentPodHash": "new"},
            "aborted": {"phase": "Degraded", "stableRS": "new", "currentPodHash": "newer", "abort": True},
        },
    ),
    "flagger": (
        FLAGGER_CANARY,
        {"flagger": "beta/app"},
        {
            "running": {"phase": "Progressing", "lastAppliedSpec": "new", "lastPromotedSpec": "old"},
            "promoted": {"phase": "Succeeded", "lastAppliedSpec": "new", "lastPromotedSpec": "new"},
            "aborted": {"phase": "Failed", "lastAppliedSpec": "newer", "lastPromotedSpec": "new"},
        },
    ),
}


class FollowScene(Scene):
    """The shop, whose source follows a canary deployment."""

    servers = ("alpha", "beta")

    def __init__(self, plane, folder, metrics, crd, follow, states):
        super().__init__(plane, folder, metrics)
        self.crd, self.follow, self.states, self.begun = crd, follow, states, False

    def declared(self, metrics, **strategy):
        """The first policies follow nothing."""
        return super().declared(metrics, **({"follow": self.follow} if self.begun else {}), **strategy)

    def turn(self, state):
        """How the canary deployment stands from now on."""
        spec = self.crd["spec"]
        made = {
            "apiVersion": f"{spec['group']}/{spec['versions'][0]['name']}",
            "kind": spec["names"]["kind"],
            "metadata": {"name": "app", "namespace": "beta"},
            "spec": {},
            "status": self.states[state],
        }
        self.plane.run("apply", "-f", "-", stdin=json.dumps(made))


@pytest.fixture(scope="module")
def watched_following(plane, harness, tmp_path_factory):
    if not plane.server:
        pytest.skip("it deletes CRDs of Argo Rollouts and Flagger: only on a control plane of our own")
    crds = [crd for crd, *_ in TOOLS.values()]
    plane.run("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, crds)))
    names = [f"crd/{crd['metadata']['name']}" for crd in crds]
    plane.run("wait", "--for=condition=Established", *names, KUBECTL)
    with watching(plane, harness, tmp_path_factory.mktemp("follow")) as url:
        yield url
    plane.run("delete", *names, KUBECTL)


@pytest.fixture(params=TOOLS)
def shop(plane, watched_following, tmp_path, request):
    found = FollowScene(plane, tmp_path, watched_following, *TOOLS[request.param])
    found.furnish()
    found.settled()
    found.begun = True
    found.file.write_text(yaml.safe_dump(found.declared(found.metrics)))
    yield found
    found.clear()


def test_it_waits_for_the_promotion_and_an_abort_rolls_back(shop):
    shop.turn("running")
    shop.commit(**{name: policy("callers", port=8080) for name in shop.servers})
    done = shop.run()
    status = shop.rollout()["status"]
    assert (done.returncode, status["phase"], status["pausedFor"]) == (3, "Paused", "workload"), done.stderr
    ports = [[rule.get("ports") for rule in o["spec"]["ingress"]] for o in shop.policies()]
    assert all(len(rules) == 2 and None in rules for rules in ports), ports
    shop.turn("promoted")
    done = shop.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert shop.rollout()["status"]["phase"] == "Succeeded"
    assert [rule["ports"][0]["port"] for rule in shop.rules()] == [8080] * len(shop.servers)

    before = shop.policies()
    shop.commit(**{name: policy("callers") for name in shop.servers})
    assert shop.run().returncode == 3
    shop.turn("aborted")
    done = shop.run()
    status = shop.rollout()["status"]
    assert (done.returncode, status["phase"]) == (1, "RolledBack"), done.stdout + done.stderr
    assert any(t["reason"] == "WorkloadAborted" for t in status["transitions"])
    assert shop.policies() == before


def test_one_that_is_not_there_is_waited_for(shop):
    shop.plane.run("delete", f"{shop.crd['metadata']['name']}", "-n", "beta", "--all", KUBECTL)
    shop.commit(**{name: policy("callers", port=8080) for name in shop.servers})
    done = shop.run()
    status = shop.rollout()["status"]
    assert (done.returncode, status["pausedFor"]) == (3, "workload"), done.stdout + done.stderr
    assert "not there" in status["reason"]
    assert shop.cli("abort", "shop").returncode == 0
    assert shop.run().returncode == 1
