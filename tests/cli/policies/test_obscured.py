"""What depends on labels or policies that cannot be read is said to be unknown: no command calls it cut, lost or blocked."""

import json

import pytest
from git_folder import begun, commit
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
def asked(netpol, tmp_path):
    """`asked(command, files, *options)`; `diff` compares them with sound ones."""

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


def recorded(tmp_path):
    """A file of two connections: from the pier, and within the ship."""
    rows = [("pier/mate", "ship/hull"), ("ship/hull", "ship/sail")]
    lines = (json.dumps({"src": a, "dst": b, "port": 80, "protocol": "TCP"}) for a, b in rows)
    (tmp_path / "flows.jsonl").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "flows.jsonl")


def test_recorded_connections_of_it_are_not_called_cut(asked, tmp_path):
    done = asked("replay", SHAPES["namespace"], "--flows", recorded(tmp_path))
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


HIDDEN = {
    "Deployment": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: hull, namespace: ship}\nspec: {template: {metadata: {labels: %s}, spec: {containers: [{name: c}]}}}\n",
    "CloneSet": "apiVersion: apps.kruise.io/v1alpha1\nkind: CloneSet\nmetadata: {name: hull, namespace: ship}\nspec: {template: {metadata: {labels: %s}, spec: {containers: [{name: c}]}}}\n",
    "Pod": "apiVersion: v1\nkind: Pod\nmetadata: {name: hull-0, namespace: ship, labels: %s, ownerReferences: [{kind: StatefulSet, name: hull, controller: true, apiVersion: apps/v1, uid: a}]}\nspec: {containers: [{name: c}]}\n",
    "Deployment's Pod": "apiVersion: v1\nkind: Pod\nmetadata: {name: hull-5-x, namespace: ship, labels: %s, ownerReferences: [{kind: ReplicaSet, name: hull-5, controller: true, apiVersion: apps/v1, uid: a}]}\nspec: {containers: [{name: c}]}\n",
}  # fmt: skip
LABELS = "{app: hull, pod-template-hash: '5'}"


@pytest.mark.parametrize("kind", HIDDEN)
def test_whatever_has_pods_is_neither_removed_nor_selected_by_nothing(cli, tmp_path, kind):
    netpol = cli(Stage())
    rest = files().replace(
        "namespace: ship}\nspec:\n  selector: {matchLabels: {app: hull}}",
        "namespace: ship}\nspec:\n  selector: {matchLabels: {app: hulk}}",
    )
    rest = rest.replace(
        "name: hull, namespace: ship}\nspec:\n", "name: hulk, namespace: ship}\nspec:\n"
    ).replace("labels: {app: hull}}, spec", "labels: {app: hulk}}, spec")
    for name, labels in (("sound", LABELS), ("odd", "[a]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text(f"{rest}---\n{HIDDEN[kind] % labels}")
    data = json.loads(netpol("diff", str(tmp_path / "sound"), str(tmp_path / "odd"), "-o", "json").out)
    assert data["changes"] == [] and data["notCompared"] == 1, data
    assert not {"NPC001", "NPC002"} & {
        f["id"] for f in json.loads(netpol("lint", str(tmp_path / "odd"), "-o", "json").out)["findings"]
    }
    assert "selects no workload" not in netpol("reach", str(tmp_path / "odd")).err


def test_lint_accuses_no_policy_for_the_labels_of_its_own_namespace(asked):
    """Its podSelector, and a peer that is in its own namespace, do not depend on them."""
    own = POLICY.replace("namespace: ship", "namespace: pier").replace("app: hull", "app: mate") % 80
    own = own.replace(
        "{namespaceSelector: {matchLabels: {crew: deck}}}", "{podSelector: {matchLabels: {app: mate}}}"
    )
    found = json.loads(asked("lint", SHAPES["namespace"] + own, "-o", "json").out)["findings"]
    assert not {"NPC001", "NPC002"} & {f["id"] for f in found}, found


def test_an_intent_has_no_answer_where_a_hidden_workload_may_be_meant(asked):
    intent = TEST.replace(
        "expect: reach, from: {workload: pier/mate}", "expect: blocked, from: {namespace: ship}"
    )
    done = asked("test", SHAPES["workload"].replace("{app: sail}", "[sail]") + intent)
    assert done.code == 2 and "ship/sail[Deployment] cannot be read" in done.out


@pytest.fixture
def checked(cli, tmp_path):
    """`checked(before, after, *options)`: what `check` says of a change from one text to another."""
    netpol, folder = cli(Stage()), tmp_path / "repo"

    def go(before, after, *options):
        begun(folder)
        (folder / "all.yaml").write_text(before)
        commit(folder, "begin")
        (folder / "all.yaml").write_text(after)
        return netpol("check", str(folder), "--base", "HEAD", *options)

    return go


def test_what_cannot_be_read_on_both_sides_is_not_fine(checked):
    wide = SHAPES["workload"].replace("{matchLabels: {crew: deck}}", "{}")
    done = checked(SHAPES["workload"], wide)
    assert done.code == 3 and "1 workload not compared" in done.out.splitlines()[0], done.out


@pytest.mark.parametrize("output", ["json", "sarif", "github", "junit", "gitlab"])
def test_machines_are_told_why(checked, output):
    done = checked(SHAPES["workload"], files(), "-o", output)
    assert done.code == 3
    assert '"notCompared": 1' in done.out if output == "json" else "1 workload not compared" in done.out


def test_a_limit_that_blocks_says_for_what(checked):
    done = checked(SHAPES["workload"], files(), "--max-risk", "low", "-o", "json")
    assert done.code == 1 and json.loads(done.out)["blocks"] == [
        "1 workload not compared, since something cannot be read or stands in copies that differ"
    ]


def test_recorded_connections_that_are_not_known_block_nothing(checked, tmp_path):
    done = checked(files(), SHAPES["namespace"], "--flows", recorded(tmp_path))
    assert "would be cut" not in done.out, done.out


def test_a_cluster_policy_that_is_not_valid_opens_nothing(checked):
    whole = "---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: all}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: %s, from: [{namespaces: {}}]}]}\n"
    done = checked(files() + whole % "Deny", files() + whole % "Denyy")
    assert done.code == 1 and "opened" not in done.out and "not compared" in done.out, done.out


def test_a_service_whose_labels_cannot_be_read_still_says_which_ports_are_used(checked):
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: hull, namespace: ship, labels: [x]}\nspec: {selector: {app: hull}, ports: [{port: 80, targetPort: 90}]}\n"
    two = files(port="80}, {port: 90")
    done = checked(two + service, files() + service)
    assert "1 connection cut" in done.out, done.out
