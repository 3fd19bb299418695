"""A manifest that lint cannot read is a finding of its own, and hides nothing of the others."""

import json

import pytest

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: lamp, namespace: hall, labels: {app: lamp}}\nspec: {containers: [{name: c, image: lamp}]}\n"
OPEN = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: open, namespace: hall}\nspec: {podSelector: {}, ingress: [{}]}\n"
SHAPE = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: odd, namespace: hall}\nspec: {template: {spec: [x]}}\n"


@pytest.fixture
def linted(netpol, tmp_path):
    def go(files, *options):
        for name, text in {"pod.yaml": POD, **files}.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return netpol("lint", str(tmp_path), *options)

    return go


@pytest.mark.parametrize(
    ("broken", "said", "where"),
    [
        ("kind: [x\n", "not YAML", "bad.yaml:2"),
        (f"{OPEN}---\nkind: [x\n", "not YAML", "bad.yaml:7"),
        ("apiVersion: v1\nkind: ConfigMap\n", "metadata.name is missing", "bad.yaml:1"),
        ("- 1\n", "a Kubernetes object is a mapping", "bad.yaml:1"),
        (b"\xff\xfe\x00", "not YAML", "bad.yaml:1"),
        (SHAPE, "Deployment is not of the shape that the API has", "bad.yaml:4"),
        ("version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS", "bad.yaml:1"),
    ],
)
def test_one_that_cannot_be_read_is_found_beside_the_others(linted, broken, said, where):
    done = linted({"bad.yaml": broken, "open.yaml": OPEN}, "-o", "json", "--fail-on", "never")
    found = json.loads(done.out)["findings"]
    mine = [f for f in found if f["id"] == "NPC026"]
    assert [(said in f["message"], f["where"].rpartition("/")[2]) for f in mine] == [(True, where)], mine
    assert "NPC003" in {f["id"] for f in found}
    assert done.code == 2 and said in done.err


def test_what_stands_before_and_after_a_bad_object_in_its_file_is_read(linted):
    nameless = "apiVersion: v1\nkind: Secret\n"
    done = linted({"all.yaml": "---\n".join((nameless, OPEN, SHAPE, nameless))})
    assert done.code == 2
    assert done.out.count("error NPC026") == 3 and "NPC003 NetworkPolicy hall/open" in done.out
    assert "(and 2 more of NPC026)" in done.err


def test_code_scanning_gets_a_place_for_each(linted):
    told = linted({"bad.yaml": "kind: [x\n", "large.yaml": b"#" * (1 << 21)}, "-o", "sarif").out
    (run,) = json.loads(told)["runs"]
    places = [r["locations"][0]["physicalLocation"] for r in run["results"] if r["ruleId"] == "NPC026"]
    assert [(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places] == [
        ("bad.yaml", 2),
        ("large.yaml", 1),
    ]
