"""On a real node whose agent's ipBlocks cover pods, as kube-router's do: what `generate` writes is rolled out."""

import json
import subprocess

import pytest
import yaml
from node_scene import namespace, service, workload
from node_strategy import SERVERS, analyses, said, write
from patience import ENOUGH
from scene import PROGRAM

pytestmark = [pytest.mark.cluster, pytest.mark.node]
AGENT = "kube-router"
KEPT = ("sample", "reach", "reach")  # role, before, after


@pytest.fixture
def shop(node_shop):
    """The shop with its first policies in force, and traffic; `kube-router` stands for the agent that enforces them."""
    node_shop.settled()
    labels = {"app": AGENT}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "agent", "image": "none.invalid/agent:1"}]},
    }
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",  # no controller makes pods of it here
        "metadata": {"name": AGENT, "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }
    node_shop.node.apply(daemons)
    yield node_shop
    node_shop.plane.run("delete", "daemonset", AGENT, "-n", "kube-system")


def described(folder):
    """What a team has beside its policies: alpha is reached from outside, and by nobody's word from front."""
    folder.mkdir()
    outside = service("alpha")
    outside["spec"]["type"] = "LoadBalancer"
    targets = [(name, f"app.{name}.svc") for name in ("beta", "gamma")]
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "all", "namespace": "front"},
        "spec": {
            "namespaceSelector": {"any": True},
            "selector": {},
            "podMetricsEndpoints": [{"port": "http"}],
        },
    }
    objects = [
        outside,
        service("beta"),
        service("gamma"),
        monitor,
        workload("front", targets),
        *(make(name) for name in SERVERS for make in (namespace, workload)),
    ]
    (folder / "all.yaml").write_text(yaml.safe_dump_all(objects))
    return folder


def test_generated_policies_for_a_loadbalancer_service_are_rolled_out_without_an_alarm(shop):
    """Each namespace's kept connections are among the probes; alpha's is open by its ipBlock alone."""
    command = [PROGRAM, "generate", str(described(shop.folder / "apps"))]
    made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ENOUGH)
    assert made.returncode == 0, said(made)
    files = {name: [] for name in SERVERS}
    for policy in yaml.safe_load_all(made.stdout):
        files.get(policy["metadata"]["namespace"], []).append(policy)
    blocks = [p for p in files["alpha"] if "ipBlock" in json.dumps(p)]
    assert blocks and all(files.values()), made.stdout
    shop.commit(**{name: yaml.safe_dump_all(some) for name, some in files.items()})
    write(shop, {"probes": []}, canary=SERVERS)
    done = shop.run()
    assert done.returncode == 0, said(done)
    assert shop.rollout()["spec"]["strategy"]["cni"] == AGENT
    (wave,) = analyses(shop)
    tried = {p["name"]: p for p in wave["spec"]["probes"]}
    answers = {r["probe"]: r["observed"] for r in wave["status"]["probes"] if r["when"] == "after"}
    assert {name: answers[name] for name in tried} == {name: p["expect"] for name, p in tried.items()}
    assert not wave["status"]["alarms"], wave["status"]["alarms"]
    kept = {p["destination"] for p in tried.values() if (p["role"], p["before"], p["expect"]) == KEPT}
    assert kept >= {f"{name}/app" for name in SERVERS}, tried
    assert any("unchanged connections are tried" in note for note in wave["spec"]["notes"]), wave["spec"][
        "notes"
    ]
