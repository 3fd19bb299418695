"""Our own NetworkPolicies are what our own generator makes of our own manifests, and let pass what we need."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "config/network"
PROGRAM = Path(sys.executable).parent / "netpol-canary"
NEEDED = {
    ("netpol-canary", 443),
    ("netpol-canary", 6443),
    ("netpol-canary", 22),
    ("netpol-canary", 9090),
    ("netpol-canary-guard", 443),
    ("netpol-canary-guard", 6443),
    ("netpol-canary-step", 6443),
    ("netpol-canary-step", 9090),
}


def test_generating_again_gives_what_is_committed(tmp_path):
    for base in ("manager", "guard", "monitoring"):
        given = tmp_path / "config" / base
        shutil.copytree(ROOT / "config" / base, given, ignore=shutil.ignore_patterns("kustomization.yaml"))
    done = subprocess.run(
        [PROGRAM, "generate", "config", "--to", "made"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = {f.name: f.read_text() for f in (tmp_path / "made/netpol-canary").iterdir()}
    assert len(made) == 4
    assert made == {name: (NETWORK / name).read_text() for name in made}


def policies():
    listed = yaml.safe_load((NETWORK / "kustomization.yaml").read_text())["resources"]
    return [d for name in listed for d in yaml.safe_load_all((NETWORK / name).read_text())]


@pytest.mark.parametrize(("name", "port"), sorted(NEEDED))
def test_what_each_of_us_calls_is_let_out(name, port):
    def selected(selector):
        wanted = [*selector.get("matchLabels", {}).values()]
        wanted += [v for e in selector.get("matchExpressions", []) for v in e["values"]]
        return not selector or name in wanted

    mine = [p["spec"] for p in policies() if selected(p["spec"]["podSelector"])]
    open_to_all = [e for s in mine for e in s.get("egress", []) if "to" not in e]
    assert port in {p["port"] for e in open_to_all for p in e["ports"]}


def test_it_is_not_installed_unasked():
    default = yaml.safe_load((ROOT / "config/default/kustomization.yaml").read_text())["resources"]
    assert "../network" not in default and "../monitoring" not in default


@pytest.mark.parametrize("base", ["manager", "guard", "archive"])
def test_every_pod_is_restricted(base):
    documents = [
        d for f in (ROOT / "config" / base).glob("*.yaml") for d in yaml.safe_load_all(f.read_text())
    ]
    found = [d for d in documents if d["kind"] in ("Deployment", "CronJob")]
    assert found
    for document in found:
        spec = document["spec"].get("jobTemplate", document)["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"] and container["resources"]["limits"]


@pytest.mark.parametrize("base", ["manager", "guard"])
def test_one_replica_stays_while_nodes_are_drained(base):
    documents = {}
    for f in (ROOT / "config" / base).glob("*.yaml"):
        documents |= {d["kind"]: d for d in yaml.safe_load_all(f.read_text())}
    deployment, budget = documents["Deployment"]["spec"], documents["PodDisruptionBudget"]["spec"]
    assert deployment["replicas"] == 2 and budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()
    (container,) = deployment["template"]["spec"]["containers"]
    assert container["livenessProbe"] and container["readinessProbe"]
