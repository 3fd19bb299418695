"""Whatever is wrong with what people give: one clear line, exit code 2, nothing written."""

import json
import os

import pytest
import yaml
from git_folder import begun, commit, write
from stage import ALLOW, Stage, policy

from orchestrator.adapters.git.repository import GitRepository
from orchestrator.rollout.resources import model as m

GOOD = yaml.safe_dump(ALLOW)
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
BIG = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1"}


def big(name):
    pad = {"metadata": {"name": name, "annotations": {"pad": "x" * 240_000}}, "spec": {"podSelector": {}}}
    return json.dumps({**BIG, **pad})


def misspelt(field="ingres"):
    return yaml.safe_dump(policy("allow", {"podSelector": {}, field: [{}]}))


CASES = {
    "YAML that does not parse": ({"cart/p.yaml": "kind: [\n"}, "cart/p.yaml:2: not YAML"),
    "an unknown field": ({"cart/p.yaml": f"---\n{misspelt()}"}, "cart/p.yaml:2: .*ingres"),
    "a wrong kind": (
        {"cart/p.yaml": GOOD.replace("NetworkPolicy", "Role")},
        "cart/p.yaml:1: Role is not a kind",
    ),
    "a namespace outside": (
        {"p.yaml": GOOD.replace("name: allow", "name: allow\n  namespace: kube-system")},
        "p.yaml:1: namespace kube-system is outside the source",
    ),
    "a duplicate": (
        {"cart/a.yaml": GOOD, "cart/b.yaml": GOOD},
        "cart/b.yaml:1: .*stands twice.*cart/a.yaml:1",
    ),
    "someone else's object": (
        {"pay/p.yaml": GOOD.replace("allow", "theirs")},
        "pay/p.yaml:1: .*is not this source",
    ),
    "an empty directory": ({"README": "nothing here"}, "there is no policy in the source's path"),
    "an oversized file": ({"cart/p.yaml": "#" * 1_100_000}, "cart/p.yaml: the file is larger than 1024 KiB"),
    "an oversized policy set": (
        {f"cart/{n}.yaml": big(n) for n in "abcd"},
        "cart/a.yaml:1: the policy set of namespace cart is larger than 900 KiB",
    ),
    "an anchor bomb": (
        {"cart/p.yaml": BOMB},
        r"cart/p.yaml:\d+: it holds more than 100000 values, anchors written out",
    ),
    "a remote base": (
        {"kustomization.yaml": "resources:\n- https://example.com/base\n"},
        "kustomization.yaml:2: the remote base or file https://example.com/base is refused",
    ),
    "a helm chart": ({"kustomization.yaml": "helmCharts:\n- name: x\n"}, "kustomization.yaml:2: helm charts"),
    "a list at the top": ({"cart/p.yaml": "- a\n"}, "cart/p.yaml:1: a Kubernetes object is a mapping"),
    "no name": (
        {"cart/p.yaml": GOOD.replace("name: allow", "labels: {}")},
        "cart/p.yaml:1: metadata.name is missing",
    ),
    "a key twice": (
        {"cart/p.yaml": GOOD + "kind: NetworkPolicy\n"},
        "cart/p.yaml:.*: the key kind stands twice",
    ),
}


@pytest.fixture
def bench(tmp_path, cli):
    """A stage, a repository to fill, and `go(files, *args)`, which commits them and runs."""
    stage = Stage()
    stage.cluster.create(policy("theirs", {"podSelector": {}}, "pay"))
    root = tmp_path / "repo"
    begun(root)
    spec = {"git": {"url": str(root)}, "namespaces": {"names": ["cart", "pay", "web"]}}
    body = {"apiVersion": m.API_VERSION, "kind": "PolicySource", "metadata": {"name": "new"}, "spec": spec}
    file = tmp_path / "source.yaml"
    file.write_text(yaml.safe_dump(body))
    run = cli(stage, repository=GitRepository(str(root), tmp_path / "cache"))

    def go(files, *args, command="run"):
        write(root, files)
        commit(root)
        return run(command, "--source", str(file), *args)

    go.stage, go.root, go.file, go.run = stage, root, file, run
    return go


def refused(bench, done, said):
    import re

    assert done.code == 2, (done.out, done.err)
    lines = [line for line in done.err.splitlines() if ": passed over: " not in line]
    assert len(lines) == 1 and re.search(said, done.err), done.err
    assert done.out == ""


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("case", CASES)
def test_bad_policies(bench, case, command):
    files, said = CASES[case]
    writes = dict(bench.stage.cluster.writes)
    refused(bench, bench(files, command=command), said)
    assert dict(bench.stage.cluster.writes) == writes


def test_a_missing_revision(bench):
    refused(bench, bench({"cart/p.yaml": GOOD}, "--revision", "nowhere"), "revision nowhere is not in")


def test_a_symlink_out_of_the_repository(bench):
    os.symlink("/etc/passwd", bench.root / "p.yaml")
    refused(bench, bench({}), "p.yaml: symbolic links are not followed")


def test_an_unreachable_repository(bench, cli, tmp_path):
    run = cli(
        bench.stage, repository=GitRepository("https://127.0.0.1:1/x.git", tmp_path / "other", timeout=5)
    )
    refused(bench, run("run", "--source", str(bench.file)), "https://127.0.0.1:1/x.git: git says")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("namespaces:", "namespaced:"), "source.yaml:1: PolicySource spec.namespace"),
        (("kind: PolicySource", "kind: PolicyRollout"), "source.yaml:1: PolicyRollout"),
        (("kind: PolicySource", "kind: Secret"), "source.yaml:1: .*Secret is not a kind"),
        (("spec:", "spec: ["), "source.yaml:.*: not YAML"),
        (("name: new", "name: new\n---\na: 1"), "source.yaml"),
    ],
)
def test_a_bad_source(bench, change, said):
    bench({"cart/p.yaml": GOOD}, command="plan")
    bench.file.write_text(bench.file.read_text().replace(*change))
    refused(bench, bench.run("run", "--source", str(bench.file)), said)


def test_a_namespace_of_the_strategy_that_the_source_does_not_select(bench):
    text = bench.file.read_text() + "  strategy:\n    canary: [nowhere]\n"
    bench.file.write_text(text)
    refused(bench, bench({"cart/p.yaml": GOOD}), "nowhere")


@pytest.mark.parametrize("asked", [False, True])
def test_a_fault_of_ours_is_one_line_and_its_traceback_is_for_who_asks(monkeypatch, cli, asked):
    monkeypatch.setenv("NETPOL_CANARY_TRACEBACK", "1" if asked else "")
    stage = Stage()

    class Broken:
        def __getattr__(self, name):
            raise KeyError("what nobody\nforesaw")

    done = cli(stage, cluster=Broken())("get")
    *traced, said = done.err.splitlines()
    assert done.code == 70 and bool(traced) == asked
    assert said.startswith("netpol-canary: this is a fault of netpol-canary: KeyError: ")
    assert "test_bad_input.py:" in said
