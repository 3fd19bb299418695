"""lint finds what is probably wrong, says where and why, and fails a pipeline when it should."""

import json
import os
from pathlib import Path

import pytest
from shop_manifests import DENY, MANIFESTS, POLICY
from stage import Stage

from orchestrator.policy.lint.linter import RULES

TWIN = POLICY.replace("name: db", "name: twin")


@pytest.fixture
def linted(cli, tmp_path):
    """`linted(policies, *options)`: the ids that are found, and what was printed."""
    netpol, made = cli(Stage()), []

    def go(policies, *options):
        folder = tmp_path / str(len(made))
        made.append(folder)
        folder.mkdir()
        (folder / "all.yaml").write_text(MANIFESTS)
        (folder / "policy.yaml").write_text(policies)
        found = json.loads(netpol("lint", str(folder), "-o", "json", "--fail-on", "never").out)["findings"]
        return [f["id"] for f in found if not f["ignored"]], netpol("lint", str(folder), *options)

    return go


def test_a_sound_set_has_no_findings(linted):
    ids, done = linted(DENY + "---\n" + POLICY)
    assert ids == [] and done.code == 0 and done.out == "0 findings\n"


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (
            ("podSelector: {matchLabels: {app: db}}\n", "podSelector: {matchLabels: {app: bd}}\n"),
            ["NPC001", "NPC009"],
        ),
        (("{matchLabels: {app: web}}", "{matchLabels: {app: wbe}}"), ["NPC002", "NPC009"]),
        (
            ("- from: [{podSelector: {matchLabels: {app: web}}}]", "- from: [{ipBlock: {cidr: 0.0.0.0/0}}]"),
            ["NPC003", "NPC009"],
        ),
        (
            ("podSelector: {}, policyTypes: [Ingress, Egress]", "podSelector: {}, policyTypes: [Egress]"),
            ["NPC004", "NPC008"],
        ),
        (("[{port: 53, protocol: UDP}]", "[{port: 53}]"), ["NPC005"]),
        (("    ports: [{port: 5432}]", "    ports: [{port: postgres}]"), ["NPC006", "NPC009"]),
        (("---", "---\n" + TWIN + "---"), ["NPC007"]),
        (("ports: [{port: 5432}]}]}", "ports: [{port: 5433}]}]}"), ["NPC009", "NPC010"]),
        (("[{port: 53, protocol: UDP}]}", "[{port: 53, protocol: UDP}]}, {}"), ["NPC011"]),
        (("- from:", "- form:"), ["NPC009", "NPC012"]),
        (("    ports: [{port: 5432}]", "    ports: [{port: 5432, endPort: 1}]"), ["NPC009", "NPC012"]),
    ],
)
def test_each_rule_finds_its_mistake_and_no_other(linted, change, rules):
    ids, done = linted((DENY + "---\n" + POLICY).replace(*change))
    assert sorted(set(ids)) == rules, done.out
    assert done.code == (1 if any(RULES[r].severity == "error" for r in rules) else 0)


def test_an_annotation_ignores_a_rule_with_a_reason(linted):
    wide = POLICY.replace("- from: [{podSelector: {matchLabels: {app: web}}}]", "- from: []")
    ids, done = linted(DENY + "---\n" + wide, "--fail-on", "warning")
    assert ids == ["NPC003"] and done.code == 1
    note = 'metadata: {name: db, namespace: shop, annotations: {netpol-canary.dev/lint-ignore: "NPC003: the entrance"}}'
    quiet = wide.replace("metadata: {name: db, namespace: shop}", note)
    ids, done = linted(DENY + "---\n" + quiet, "--fail-on", "info")
    assert ids == [] and done.code == 0 and done.out == "0 findings, 1 ignored\n"


def test_formats_for_pipelines(linted):
    bad = (DENY + "---\n" + POLICY).replace("port: 5432", "port: postgres")  # at both ends
    sarif = json.loads(linted(bad, "-o", "sarif")[1].out)
    ours, result = sarif["runs"][0]["results"]
    assert (ours["ruleId"], result["ruleId"]) == ("NPC006", "NPC006")
    assert result["ruleId"] == "NPC006" and result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policy.yaml" and place["region"]["startLine"] == 13
    assert place["region"]["startColumn"] == 20  # of `postgres`
    assert 'failures="2"' in linted(bad, "-o", "junit")[1].out
    assert "::error file=" in linted(bad, "-o", "github")[1].out


def test_code_scanning_finds_every_result_below_the_repository_s_root(cli, tmp_path, monkeypatch):
    netpol, folder = cli(Stage()), tmp_path / "shop" / "network rules"
    (folder / "a").mkdir(parents=True)
    (tmp_path / "shop" / ".git").mkdir()
    (folder / "a" / "all.yaml").write_text(MANIFESTS)
    monkeypatch.chdir(tmp_path / "shop" / "network rules")
    (run,) = json.loads(netpol("lint", str(folder), "--fail-on", "never", "-o", "sarif").out)["runs"]
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert {p["artifactLocation"]["uri"] for p in places} == {"network%20rules/a/all.yaml"}
    assert all(p["region"]["startLine"] > 0 for p in places) and len(places) > 1
    assert len({r["partialFingerprints"]["finding/v1"] for r in run["results"]}) == len(places)
    assert all(r["help"]["text"] for r in run["tool"]["driver"]["rules"])
    words = "file=network rules/a/all.yaml,line="
    assert words in netpol("lint", ".", "--fail-on", "never", "-o", "github").out


def test_a_name_that_is_no_text_is_placed_below_its_directory(cli, tmp_path, monkeypatch):
    netpol, folder = cli(Stage()), tmp_path / "shop" / "rules"
    folder.mkdir(parents=True)
    (tmp_path / "shop" / ".git").mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.yaml")).write_text(MANIFESTS)
    monkeypatch.chdir(tmp_path)
    line = "file=rules/\\xff.yaml,line="
    assert line in netpol("lint", "shop/rules", "--fail-on", "never", "-o", "github").out


def test_every_rule_explains_itself(cli):
    netpol = cli(Stage())
    for rule in RULES:
        assert netpol("lint", "--explain", rule).out.startswith(f"{rule} (")
    assert netpol("lint", "--explain", "NPC999").code == 2
    assert netpol("lint").code == 2 and netpol("lint", ".", "--fail-on", "x").code == 2


def test_severities_come_from_the_directory_or_a_file(linted, tmp_path, cli):
    netpol, folder = cli(Stage()), tmp_path / "set"
    folder.mkdir()
    (folder / "all.yaml").write_text(MANIFESTS)
    (folder / "policy.yaml").write_text((DENY + "---\n" + POLICY).replace("{app: web}", "{app: wbe}"))
    assert netpol("lint", str(folder)).code == 0
    (folder / ".netpol-canary.yaml").write_text("lint: {NPC002: error, NPC009: off}\n")
    done = netpol("lint", str(folder))
    assert done.code == 1 and "error NPC002" in done.out and "NPC009" not in done.out
    for text, said in (
        ("lint: {NPC999: error}", "lint.NPC999: error"),
        ("lint: {NPC001: loud}", "lint.NPC001: loud"),
        ("rules: 1", "rules: unknown field; take accepted or lint"),
        ("lint: 1", "a mapping with `lint` is wanted"),
        ("lint: [", "not YAML"),
    ):
        other = tmp_path / "config.yaml"
        other.write_text(text)
        done = netpol("lint", str(folder), "--config", str(other))
        assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1, done


def test_workloads_are_held_against_the_schemas_of_a_version(cli, tmp_path):
    netpol = cli(Stage())
    (tmp_path / "all.yaml").write_text(MANIFESTS.replace("image: web", "imag: web", 1))
    done = netpol("lint", str(tmp_path), "--kubernetes-version", "1.34")
    assert "all.yaml:8: warning NPC013 Deployment shop/web: spec.template.spec.containers.0: " in done.out
    assert "'imag' was unexpected" in done.out and "(Kubernetes 1.34)" in done.out
    wrong = netpol("lint", str(tmp_path), "--kubernetes-version", "0.1")
    assert wrong.code == 2 and "there are no schemas of Kubernetes 0.1" in wrong.err
