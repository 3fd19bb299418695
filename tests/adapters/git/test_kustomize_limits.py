"""Kustomizations are built from the commit alone, in a folder of their own, within bounds."""

import os
import re
import shutil
from contextlib import suppress

import pytest

from orchestrator.adapters.git import kustomize
from orchestrator.adapters.git.kustomize import built, outside
from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import parse

POLICY = (
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n"
)
needs_kubectl = pytest.mark.skipif(
    not (shutil.which("kustomize") or shutil.which("kubectl")),
    reason="neither kustomize nor kubectl is there",
)


def build(files, program=(), elsewhere=lambda path: None, prefix="", timeout=60):
    return built({p: c.encode() for p, c in files.items()}, prefix, elsewhere, program, timeout)


def refused(files, **more):
    with pytest.raises(BadInput) as caught:
        build(files, **more)
    return str(caught.value)


@pytest.fixture
def shows(tmp_path):
    """A program in kustomize's place that prints the files it was given."""
    program = tmp_path / "shows"
    program.write_text('#!/bin/sh\ncd "$1" && find . -type f | sort\n')
    program.chmod(0o755)
    return (str(program),)


def test_only_what_the_kustomization_reaches_is_laid_out(shows):
    files = {"pay/kustomization.yaml": "resources: [a.yaml]", "pay/a.yaml": POLICY, "pay/b.yaml": POLICY}
    assert build(files, shows) == {"pay/kustomization.yaml": b"./a.yaml\n./kustomization.yaml\n"}


def test_a_file_of_any_ending_is_taken_from_the_commit_where_it_is_named(shows):
    files = {"kustomization.yaml": "configMapGenerator:\n- name: x\n  files: [logo.png, k=../seed.bin]"}
    held = {"in/logo.png": b"1", "seed.bin": b"2"}
    (content,) = built(
        {"kustomization.yaml": files["kustomization.yaml"].encode()}, "in/", held.get, shows, 60
    ).values()
    assert content == b"./kustomization.yaml\n./logo.png\n"
    assert outside({"kustomization.yaml": files["kustomization.yaml"].encode()}, "in/", held.get) == [
        "seed.bin"
    ]


ESCAPES = ["../../../etc/passwd", "/etc/passwd", "a/../../x", "..", "pay/.git/config", ".GIT/config", "x//y"]


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_is_written_outside_whatever_the_commit_calls_its_files(name, shows, tmp_path, monkeypatch):
    """Even where the reader of the commit gave such a file, as it did once."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = sorted(tmp_path.rglob("*"))
    files = {"kustomization.yaml": f"configMapGenerator:\n- name: x\n  files: ['{name}']\n"}
    everything = type(
        "All", (dict,), {"get": lambda self, path: None if "kustomization" in path.lower() else b"evil"}
    )()
    with suppress(BadInput):
        built({"kustomization.yaml": files["kustomization.yaml"].encode()}, "", everything.get, shows, 60)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", ".git/config", "a//b", "", "a/" + "n" * 256])
def test_the_place_of_a_file_is_checked_before_it_is_written(path, tmp_path):
    with pytest.raises(BadInput):
        kustomize._write({path: b"evil"}, tmp_path / "tree")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    with pytest.raises(BadInput, match="cannot be laid out"):
        kustomize._write({"a": b"", "a/b": b""}, tmp_path / "tree")


REFUSED = {
    "resources: [https://example.com/x]": "remote base or file https://example.com/x",
    "resources: [github.com/a/b]": "remote base or file",
    "resources: ['git@example.com:a/b']": "remote base or file",
    "resources: [example.com/a/b]": "remote base or file",
    "resources: ['https://me:hunter2@example.com/x?ref=hunter2']": "remote base or file https://example.com/x",
    "resources: [../x]": "leads out of the repository",
    "resources: [/etc]": "leads out of the repository",
    "resources: [.]": "include each other",
    "resources: [no.yaml]": "no.yaml is not in the commit",
    "helmCharts: [{name: x}]": "helm charts",
    "HelmCharts: [{name: x}]": "helm charts",
    "helmChartInflationGenerator: [{}]": "helm charts",
    "helmGlobals: {chartHome: /etc}": "helm charts",
    "generators: [a.yaml]": "plug-ins",
    "transformers: ['{apiVersion: x, kind: Exec}']": "plug-ins",
    "validators: [a.yaml]": "plug-ins",
    "openapi: {path: ../../etc/passwd}": "leads out of the repository",
    "crds: [/proc/self/environ]": "leads out of the repository",
    "configurations: [/dev/zero]": "leads out of the repository",
    "replacements: [{path: /etc/passwd}]": "leads out of the repository",
    "components: ['ssh://example.com/x']": "remote base or file",
    "patches: [{path: 'https://example.com/p.yaml'}]": "remote base or file",
    "secretGenerator: [{name: x, envs: [/proc/self/environ]}]": "leads out of the repository",
    "resources: !!binary aGk=": "YAML tag",
    "<<: {resources: [/etc]}": "merges are not taken",
    "x: &x [/etc]\nresources: *x": "leads out of the repository",
    "resources: [a.yaml": "not YAML",
    "[a]": "a kustomization is a mapping",
    "resources: {a: b}": "names files and folders",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_commit_alone_does_not_decide_is_refused_before_anything_runs(text, shows):
    said = refused({"kustomization.yaml": text}, program=("/nowhere/kustomize",))
    assert REFUSED[text] in said and "hunter2" not in said, said


def test_anchors_in_a_kustomization_are_taken(shows):
    files = {"kustomization.yaml": "x-all: &all [a.yaml]\nresources: *all\n", "a.yaml": POLICY}
    assert build(files, shows)["kustomization.yaml"] == b"./a.yaml\n./kustomization.yaml\n"


def test_a_kustomization_that_builds_the_same_folder_a_million_times_is_refused():
    files = {"l20/a.yaml": POLICY, "l20/kustomization.yaml": "resources: [a.yaml]"}
    for n in range(20):
        files[f"l{n}/kustomization.yaml"] = f"resources: [../l{n + 1}, ../l{n + 1}/]"
    assert "include each other, or too many" in refused(files)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("cat /dev/zero", "builds more than 8 MiB"),
        ("sleep 60 & sleep 60", "took longer than 0.5 s"),
        ("echo 'Error: no such thing' >&2; exit 1", "kustomize says: Error: no such thing"),
        ("exit 3", "kustomize says: no message"),
        ("for i in $(seq 99); do sleep 60 & done; wait", "processes|longer"),
    ],
)
def test_the_program_ends_at_its_limits(script, said, tmp_path):
    program = tmp_path / "kustomize"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    found = refused(
        {"kustomization.yaml": "{}"}, program=(str(program),), timeout=0.5 if "longer" in said else 60
    )
    assert re.search(said, found), found


def test_nothing_of_the_users_reaches_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    program = tmp_path / "kustomize"
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(0o755)
    (said,) = build({"kustomization.yaml": "{}"}, (str(program),)).values()
    assert b"hunter2" not in said
    assert b"proxy:1" not in said and str(tmp_path).encode() not in said.split(b"PATH")[0]
    assert os.environ["TOKEN"] == "hunter2"


@needs_kubectl
def test_an_overlay_is_built():
    files = {
        "base/a.yaml": POLICY,
        "base/kustomization.yaml": "resources: [a.yaml]",
        "kustomization.yaml": "namespace: pay\nnamePrefix: one-\nresources: [base]",
    }
    (content,) = build(files).values()
    (found,) = parse(content, "kustomization.yaml")
    assert found.obj["metadata"] == {"name": "one-a", "namespace": "pay"}


@pytest.mark.exhaustive
@needs_kubectl
@pytest.mark.parametrize("copies", [18, 24])
def test_a_patch_that_copies_a_value_into_itself_ends_at_the_limit_of_memory(copies):
    ops = "".join(f"    - {{op: copy, from: /spec, path: /spec/c{n}}}\n" for n in range(copies))
    patch = "resources: [a.yaml]\npatches:\n- target: {kind: NetworkPolicy}\n  patch: |\n" + ops
    policy = POLICY.replace("{name: a}", "{name: a, annotations: {x: " + "y" * 50 + "}}")
    said = refused({"kustomization.yaml": patch, "a.yaml": policy})
    assert "takes more than 128 MiB of memory" in said or "builds more than 8 MiB" in said, said
