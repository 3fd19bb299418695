"""What `check` says to machines: results by severity and place, in SARIF, GitHub's annotations, JUnit and code quality."""

import json
from xml.etree import ElementTree

from shop_manifests import EXPOSED, POLICIES


def test_sarif_places_what_opens_the_database_at_the_rule(asked):
    done = asked("sarif")
    (run,) = json.loads(done.out)["runs"]
    first = run["results"][0]
    assert done.code == 1 and first["ruleId"] == "internet" and first["level"] == "error"
    assert first["message"]["text"].startswith("internet to shop/db[StatefulSet] on TCP 5432: newly open")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policies/policy.yaml"
    assert place["region"] == {"startLine": 12, "startColumn": 29}  # the block of all addresses
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    assert all(r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"])


def test_annotations_say_the_worst_first(asked):
    lines = [line for line in asked("github").out.splitlines() if line.startswith("::")]
    levels = [line.split(" ")[0] for line in lines]
    assert levels == sorted(levels, key=["::error", "::warning", "::notice"].index)
    assert lines[0].startswith("::error file=policies/policy.yaml,line=12,col=29,title=")


def test_junit_and_code_quality_are_what_their_readers_take(asked):
    suite = ElementTree.fromstring(asked("junit").out)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0
    found = json.loads(asked("gitlab").out)
    assert found[0]["severity"] == "major" and found[0]["check_name"] in ("internet", "intent")
    assert all(set(f) >= {"description", "check_name", "fingerprint", "severity", "location"} for f in found)
    assert len({f["fingerprint"] for f in found}) == len(found)
    assert found[0]["location"]["path"].startswith("policies/") and found[0]["location"]["lines"]["begin"] > 0


def test_a_person_sees_the_line_of_what_opens_the_database_and_the_verdict_last(asked, monkeypatch):
    full = asked("full")
    title, place, _, line, carets, fix, *_ = full.out.splitlines()
    assert title.startswith("error internet internet to shop/db[StatefulSet] on TCP 5432: newly open")
    assert place.endswith("policies/policy.yaml:12:29 (spec.ingress[0])") and fix.startswith("   = help: ")
    assert line[carets.index("^") : carets.rindex("^") + 1] == "0.0.0.0/0"
    assert "❌ blocked" in full.out.splitlines()[-1] and full.code == 1
    concise = asked("concise").out.splitlines()
    assert concise[0].split(": ")[0].endswith("policy.yaml:12") and " | " not in "".join(concise)
    monkeypatch.setenv("NETPOL_CANARY_FRAMES", "1")
    assert asked("").out == full.out and asked("markdown").out.startswith("## Network policies")


def test_json_has_the_verdict_and_each_item(asked):
    found = json.loads(asked("json").out)
    assert (found["verdict"], found["exitCode"], found["passed"]) == ("blocked", 1, False)
    assert found["items"][0]["kind"] == "internet" and found["items"][0]["level"] == "high"


def test_the_summary_says_internet_and_not_addresses(asked):
    out = asked("markdown").out
    assert "❌ blocked" in out.splitlines()[0] and "risk high: 1 workload newly open to the internet" in out
    table, reasons = out.split("<details><summary>Reasons</summary>")
    assert "opened | internet | shop/db" in table and "0.0.0.0-" not in out
    assert "NetworkPolicy shop/db ingress" not in table.split("| from |")[1]
    assert "NetworkPolicy shop/db ingress" in reasons


def test_a_finding_is_the_same_wherever_its_policy_moves(asked, repo):
    def prints():
        (run,) = json.loads(repo.run("check", repo.path, "--base", "main~1", "-o", "sarif").out)["runs"]
        return {r["partialFingerprints"]["finding/v1"] for r in run["results"] if r["ruleId"] != "intent"}

    before = prints()
    repo.change("# a comment\n" + EXPOSED)
    assert prints() == before


def test_what_becomes_of_a_workload_that_goes_is_placed_where_it_stood(repo):
    gone = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: lamp, namespace: attic}\nspec: {}\n"
    repo.change(POLICIES, gone)
    repo.commit()
    repo.change(POLICIES)
    found = json.loads(repo.run("check", repo.path, "--base", "main", "-o", "gitlab").out)
    mine = [f["location"]["path"] for f in found if "attic/lamp" in f["description"]]
    assert mine and set(mine) == {"policies/all.yaml"}
