"""Our own NetworkPolicies are what our own generator makes of our own manifests, and let pass what we need."""

import shutil
import sys
from pathlib import Path

import pytest
import yaml
from patience import ran
from written import plain

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.pod import Pod

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "config/network"
PROGRAM = Path(sys.executable).parent / "netpol-canary"


def test_generating_again_gives_what_is_committed(tmp_path):
    for base in ("manager", "guard", "monitoring"):
        given = tmp_path / "config" / base
        shutil.copytree(ROOT / "config" / base, given, ignore=shutil.ignore_patterns("kustomization.yaml"))
    done = ran(PROGRAM, "generate", "config", "--to", "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = {f.name: f.read_text() for f in (tmp_path / "made/netpol-canary").iterdir()}
    assert len(made) == 4
    assert made == {name: (NETWORK / name).read_text() for name in made}


def pod(name, space, labels, port=8080):
    container = {"name": "app", "image": "none", "ports": [{"containerPort": port}]}
    return plain("Pod", f"{space}/{name}", {"containers": [container]}, labels)


def workloads():
    """All our pods, as config/ labels them, and whom they talk to."""
    for base in ("manager", "guard", "archive"):
        for f in (ROOT / "config" / base).glob("*.yaml"):
            for d in yaml.safe_load_all(f.read_text()):
                if d["kind"] in ("Deployment", "CronJob"):
                    yield {**d, "metadata": {**d["metadata"], "namespace": "netpol-canary"}}
    templates = yaml.safe_load_all((ROOT / "config/argo/templates.yaml").read_text())
    (step,) = [t for d in templates for t in d["spec"]["templates"] if "container" in t]
    yield pod("step", "netpol-canary", step["metadata"]["labels"])
    yield pod("check", "netpol-canary", {"app.kubernetes.io/name": "netpol-canary-uninstall"})
    yield pod("resolver", "kube-system", {"k8s-app": "kube-dns"}, 53)
    yield pod("prometheus", "monitoring", {"app": "prometheus"}, 9090)
    yield pod("entrance", "ingress", {"app": "entrance"})
    for space in ("netpol-canary", "kube-system", "monitoring", "ingress"):
        yield plain("Namespace", space, labels={"kubernetes.io/metadata.name": space})


@pytest.fixture
def laid_out(tmp_path):
    """The policies with their PolicyTest, and the pods beside them."""
    ignored = shutil.ignore_patterns("kustomization.yaml")
    shutil.copytree(NETWORK, tmp_path / "network", ignore=ignored)
    (tmp_path / "pods").mkdir()
    (tmp_path / "pods/all.yaml").write_text(yaml.safe_dump_all(workloads()))
    return tmp_path


def asked(folder, *command):
    return ran(PROGRAM, *command, "--workloads", "pods", cwd=folder)


def test_what_we_need_is_let_through_and_nothing_else(laid_out):
    done = asked(laid_out, "test", "network")
    assert done.returncode == 0, done.stdout + done.stderr


METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
)


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("who", ["netpol-canary", "netpol-canary-step", "netpol-canary-guard"])
def test_nobody_of_us_asks_a_metadata_service(laid_out, who, address):
    spaces = {n: {"kubernetes.io/metadata.name": n} for n in ("netpol-canary", "monitoring")}
    policies = [d for f in NETWORK.glob("*.yaml") for d in yaml.safe_load_all(f.read_text())]
    network = Network(spaces, [d for d in policies if d["kind"] == "NetworkPolicy"])
    me = Pod("netpol-canary", "me", {"app.kubernetes.io/name": who})
    other = Pod("monitoring", "other", {}, ip="10.0.0.7")
    assert not network.allowed(me, address, "TCP", 80)
    assert network.allowed(me, "203.0.113.7", "TCP", 80) == (who != "netpol-canary-guard")
    assert network.allowed(me, "2001:db8::7", "TCP", 80) == (who != "netpol-canary-guard")
    assert network.allowed(me, other, "TCP", 80) == (who != "netpol-canary-guard")


@pytest.mark.parametrize(
    "name",
    ["netpol-canary-guard", "netpol-canary-step", "netpol-canary-archive", "netpol-canary-uninstall"],
)
def test_one_of_us_that_is_kept_from_the_api_server_is_noticed(laid_out, name):
    path = (
        laid_out
        / "network"
        / ("netpol-canary-guard.yaml" if name == "netpol-canary-guard" else "egress.yaml")
    )
    policies = list(yaml.safe_load_all(path.read_text()))
    if name == "netpol-canary-guard":
        del policies[0]["spec"]["egress"]
    else:
        policies[0]["spec"]["podSelector"]["matchExpressions"][0]["values"].remove(name)
    path.write_text(yaml.safe_dump_all(policies))
    done = asked(laid_out, "test", "network")
    assert done.returncode == 1 and "API server" in done.stdout


def test_lint_finds_nothing_about_us_once_the_pages_are_narrowed_as_their_comment_asks(laid_out):
    path = laid_out / "network/egress.yaml"
    policies = list(yaml.safe_load_all(path.read_text()))
    (pages,) = [p for p in policies if p["metadata"]["name"] == "pages"]
    asking = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
    pages["spec"]["ingress"][0]["from"] = [asking]
    path.write_text(yaml.safe_dump_all(policies))
    done = asked(laid_out, "lint", "network", "--fail-on", "warning")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "netpol-canary/" not in done.stdout  # what stands in others' namespaces is theirs


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
