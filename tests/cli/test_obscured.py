"""What depends on labels or policies that cannot be read is said to be unknown: no command calls it cut, lost or blocked."""

import json

import pytest
from stage import Stage

WORKLOAD = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %(name)s, namespace: %(space)s}
spec:
  selector: {matchLabels: {app: %(name)s}}
  template: {metadata: {labels: %(labels)s}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 80, name: http}]}]}}
"""
POLICY = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: hull, namespace: ship}
spec: {podSelector: {matchLabels: {app: hull}}, ingress: [{from: [{namespaceSelector: {matchLabels: {crew: deck}}}], ports: [{port: %s}]}]}
"""
TEST = """---
apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: crew}
spec:
  intents: [{name: crew comes in, expect: reach, from: {workload: pier/mate}, to: {workload: ship/hull}, ports: [{port: 80}]}]
  only: [{name: nobody else, to: {workload: ship/hull}, onlyFrom: []}]
"""


def files(deck="{crew: deck}", hull="{app: hull}", port="80"):
    spaces = f"""apiVersion: v1
kind: Namespace
metadata: {{name: pier, labels: {deck}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: ship}}
"""
    made = [("mate", "pier", "{app: mate}"), ("hull", "ship", hull), ("sail", "ship", "{app: sail}")]
    workloads = "".join(
        WORKLOAD % {"name": name, "space": space, "labels": labels} for name, space, labels in made
    )
    return spaces + workloads + POLICY % port


@pytest.fixture
def asked(cli, tmp_path):
    """`asked(command, files, *options)`; `diff` compares them with sound ones."""
    netpol = cli(Stage())

    def go(command, text, *options):
        for name, content in (("sound", files()), ("odd", text)):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "all.yaml").write_text(content)
        given = [tmp_path / "sound"] if command == "diff" else []
        return netpol(command, *map(str, given), str(tmp_path / "odd"), *options)

    return go


SHAPES = {"namespace": files(deck="[crew]"), "workload": files(hull="[app]")}


@pytest.mark.parametrize("shape", SHAPES)
def test_labels_that_became_unreadable_cut_nothing(asked, shape):
    done = asked("diff", SHAPES[shape], "-o", "json")
    data = json.loads(done.out)
    assert done.code == 0 and data["changes"] == [] and not any(data["impact"].values()), data
    assert "is not known" in data["notRead"][0] and "all.yaml:" in done.err


@pytest.mark.parametrize("shape", SHAPES)
def test_lint_calls_no_selector_useless_that_may_mean_them(asked, shape):
    done = asked("lint", SHAPES[shape], "-o", "json")
    found = {f["id"] for f in json.loads(done.out)["findings"]}
    assert done.code == 2 and "NPC026" in found
    assert not found & {"NPC001", "NPC002", "NPC006", "NPC019"}, found


def test_a_named_port_that_only_the_hidden_workload_may_declare_is_not_called_unknown(asked):
    done = asked("lint", files(hull="[app]", port="wheel"), "-o", "json")
    assert "NPC006" not in done.out and "NPC026" in done.out


def test_reach_has_no_row_of_such_a_namespace_and_those_of_the_others(asked):
    done = asked("reach", SHAPES["namespace"], "-o", "json")
    rows = json.loads(done.out)["connections"]
    assert {r["to"] for r in rows if r["from"] == "ship/hull[Deployment]"} >= {"ship/sail[Deployment]"}
    assert not any("pier/" in r["from"] + r["to"] for r in rows)
    assert "labels of pier is not known" in done.err


def test_its_rows_stay_where_no_rule_asks_for_labels_of_namespaces(asked):
    text = SHAPES["namespace"].replace("crew: deck}", "kubernetes.io/metadata.name: pier}")
    rows = json.loads(asked("reach", text, "-o", "json").out)["connections"]
    assert ("pier/mate[Deployment]", "ship/hull[Deployment]") in {(r["from"], r["to"]) for r in rows}


def test_an_intent_about_it_has_no_answer(asked):
    done = asked("test", SHAPES["namespace"] + TEST)
    assert done.code == 2 and done.out.count("the labels of namespace pier cannot be read") == 2, done.out
    assert "is blocked" not in done.out


def test_recorded_connections_of_it_are_not_called_cut(asked, tmp_path):
    flows = tmp_path / "flows.jsonl"
    rows = [("pier/mate", "ship/hull"), ("ship/hull", "ship/sail")]
    flows.write_text(
        "".join(json.dumps({"src": a, "dst": b, "port": 80, "protocol": "TCP"}) + "\n" for a, b in rows)
    )
    done = asked("replay", SHAPES["namespace"], "--flows", str(flows))
    assert done.code == 0 and "cut:" not in done.out and "pier/mate" in done.err


def test_nothing_known_is_not_nothing_allowed(asked):
    text = SHAPES["namespace"].replace("{name: ship}", "{name: ship, labels: [a]}")
    done = asked("reach", text)
    assert done.out.startswith("no connection is known")


def test_what_it_needs_is_not_called_cut(asked):
    """A Service leads from the pier to the hull, which admits the pier by labels."""
    call = "env: [{name: HULL_URL, value: 'http://hull.ship:80'}], ports: [{containerPort: 80"
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: hull, namespace: ship}\nspec: {selector: {app: hull}, ports: [{port: 80}]}\n"
    for text in (files(), SHAPES["namespace"]):
        done = asked("generate", text.replace("ports: [{containerPort: 80", call, 1) + service, "--check")
        assert done.code == 0 and done.out.startswith("0 cut"), done.out
