"""A workload, or what stands beside it, of a wrong shape hides itself alone: it is named, and everything else is answered."""

import json
from pathlib import Path

import pytest
from stage import Stage

SOUND = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: tap, namespace: bar}
spec:
  selector: {matchLabels: {app: tap}}
  template:
    metadata: {labels: {app: tap}}
    spec: {containers: [{name: c, image: tap, ports: [{containerPort: 8080}], env: [{name: KEG_URL, value: "http://keg:80"}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: keg, namespace: bar}
spec:
  selector: {matchLabels: {app: keg}}
  template: {metadata: {labels: {app: keg}}, spec: {containers: [{name: c, image: keg, ports: [{containerPort: 8080}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: keg, namespace: bar}
spec: {selector: {app: keg}, ports: [{port: 80, targetPort: 8080}]}
"""
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: odd, namespace: bar}\nspec: "
TEMPLATE = DEPLOYMENT + "{selector: {matchLabels: {app: odd}}, template: {metadata: {labels: %s}, spec: %s}}"
CRON = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: odd, namespace: bar}\nspec: "
SHAPES = {
    "containers": (TEMPLATE % ("{a: b}", "{containers: text}"), "spec.template.spec.containers must be a list"),
    "ports": (TEMPLATE % ("{a: b}", "{containers: [{name: c, ports: 3}]}"), "containers[0].ports must be a list"),
    "port": (TEMPLATE % ("{a: b}", "{containers: [{name: c, ports: [{containerPort: web}]}]}"), "containerPort must be a number"),
    "labels": (TEMPLATE % ("[a]", "{containers: [{name: c}]}"), "spec.template.metadata.labels must be a mapping"),
    "probe": (TEMPLATE % ("{a: b}", "{containers: [{name: c, livenessProbe: on}]}"), "livenessProbe must be a mapping"),
    "selector": (DEPLOYMENT + "{selector: {matchLabels: x}, template: {spec: {containers: [{name: c}]}}}", "spec.selector.matchLabels must be a mapping"),
    "template": (DEPLOYMENT + "{template: text}", "spec.template must be a mapping"),
    "no template": (DEPLOYMENT + "{replicas: 2}", "template is missing"),
    "spec": (DEPLOYMENT + "text", "Deployment.spec must be a mapping"),
    "cron": (CRON + "{jobTemplate: text}", "spec.jobTemplate must be a mapping"),
    "cron's template": (CRON + "{jobTemplate: {spec: {}}}", "spec.jobTemplate.spec.template is missing"),
    "pod": ("apiVersion: v1\nkind: Pod\nmetadata: {name: odd, namespace: bar}\nspec: [1]\n", "Pod.spec must be a mapping"),
}  # fmt: skip


@pytest.fixture
def asked(netpol, tmp_path):
    """`asked(command, *options)` of a bar with one malformed object."""

    def go(odd, command, *options):
        (tmp_path / "sound.yaml").write_text(SOUND)
        (tmp_path / "odd.yaml").write_text(f"# a comment\n---\n{odd}")
        given = (str(tmp_path),) * (2 if command == "diff" else 1)
        return netpol(command, *given, *options)

    return go


ANSWERED = (
    ("reach", (), "bar/tap[Deployment]"),
    ("why", ("--from", "bar/tap", "--to", "bar/keg", "--port", "8080"), "yes"),
    ("diff", (), "no connection changes"),
    ("generate", (), "/sound.yaml:9"),
)


@pytest.mark.parametrize("shape", SHAPES)
def test_everything_else_is_answered_and_it_is_named_once_with_file_and_line(asked, shape):
    odd, wrong = SHAPES[shape]
    for command, options, answer in ANSWERED:
        done = asked(odd, command, *options)
        assert done.code == 0 and answer in done.out, (command, done.err)
        (said,) = [line for line in done.err.splitlines() if "not of the shape" in line]
        assert wrong in said and "odd.yaml:3" in said and "bar/odd is left out" in said


@pytest.mark.parametrize("command", ["reach", "diff"])
def test_machines_find_it_among_what_was_not_read(asked, command):
    odd, wrong = SHAPES["containers"]
    (said,) = json.loads(asked(odd, command, "-o", "json").out)["notRead"]
    assert wrong in said and "odd.yaml:3" in said


def test_whoever_asks_for_it_by_name_hears_why_there_is_no_answer(asked):
    done = asked(SHAPES["ports"][0], "why", "--from", "bar/odd", "--to", "bar/keg", "--port", "80")
    assert done.code == 2 and "odd.yaml:3: bar/odd cannot be read" in done.err
    done = asked(SHAPES["ports"][0], "reach", "--from", "odd")
    assert done.code == 2 and "odd.yaml:3: odd cannot be read" in done.err


def test_where_nothing_else_runs_it_is_bad_input(cli, tmp_path):
    (tmp_path / "odd.yaml").write_text(SHAPES["spec"][0])
    done = cli(Stage())("reach", str(tmp_path))
    assert done.code == 2 and done.err.count("\n") == 1 and "odd.yaml:1: Deployment is not" in done.err


@pytest.mark.parametrize(
    "odd",
    [
        "apiVersion: v1\nkind: Service\nmetadata: {name: odd, namespace: bar}\nspec: {type: LoadBalancer, ports: 3}\n",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: odd, namespace: bar}\nspec: {rules: [5]}\n",
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: odd, namespace: bar, labels: {kubernetes.io/service-name: keg}}\nendpoints: [5]\n",
        "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: odd, namespace: bar}\nspec: {endpoints: 5}\n",
    ],
    ids=lambda text: text.split("kind: ")[1].split("\n")[0],
)
def test_generate_opens_nothing_for_a_malformed_object_beside_workloads_and_says_so(asked, odd):
    done = asked(odd, "generate")
    assert done.code == 0 and "keg.bar:80, env KEG_URL in " in done.out and "/sound.yaml:9" in done.out
    (said,) = [line for line in done.err.splitlines() if "odd" in line]
    assert "odd.yaml:3" in said and "not of the shape" in said
    assert "nothing is opened" in said or "bar/odd is left out" in said


def test_check_answers_names_it_once_and_blocks_what_brings_it_in(repo):
    repo.git("checkout", "-q", "-b", "branch")
    odd = SHAPES["containers"][0]
    file = Path(repo.path, "odd.yaml")
    file.write_text(odd)
    done = repo.run("check", repo.path, "--base", "main")
    assert done.code == 1 and "NPC026" in done.out and done.err.count("not of the shape") == 1
    repo.commit()
    repo.git("checkout", "-q", "-B", "main")
    file.write_text(f"# moved down\n{odd}")
    again = repo.run("check", repo.path, "--base", "main", "-o", "json")
    (said,) = [t for t in json.loads(again.out)["notRead"] if "not of the shape" in t]
    assert again.code == 3 and again.err.count("not of the shape") == 1 and "odd.yaml:2" in said


LABELS = {"[a, b]": "metadata.labels: must be a mapping", "7": "metadata.labels: must be a mapping", "{a: null}": "metadata.labels.a: must be text"}  # fmt: skip
HEADS = {
    "Deployment": ("apps/v1", "bar", "{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}"),
    "Pod": ("v1", "bar", "{containers: [{name: c, image: i}]}"),
    "Service": ("v1", "bar", "{ports: [{port: 80}]}"),
    "ConfigMap": ("v1", "bar", "{}"),
    "Widget": ("corp.example/v1", "bar", "{}"),
}  # fmt: skip


def headed(kind, labels, space="bar"):
    version, _, spec = HEADS[kind]
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: odd, namespace: {space}, labels: {labels}}}\nspec: {spec}\n"


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("kind", HEADS)
def test_labels_of_another_shape_hide_their_object_alone(asked, kind, labels):
    for command, options, answer in ANSWERED:
        done = asked(headed(kind, labels), command, *options)
        assert done.code == 0 and answer in done.out and "bar/odd" not in done.out, (command, done.err)
        (said,) = [line for line in done.err.splitlines() if "not of the shape" in line]
        assert LABELS[labels] in said and "odd.yaml:3" in said and "bar/odd is left out" in said


@pytest.mark.parametrize("name", ["cave", "cave/odd", "odd"])
def test_a_namespace_of_which_the_only_workload_is_hidden_is_not_empty(asked, name):
    odd = headed("Pod", "[a]", "cave")
    for command in (("reach", "--to", name), ("why", "--from", "bar/tap", "--to", name, "--port", "80")):
        done = asked(odd, command[0], *command[1:])
        assert done.code == 2 and "odd cannot be read" in done.err and "odd.yaml:3" in done.err
        assert "no connection" not in done.out


def test_a_namespace_whose_labels_cannot_be_read_has_its_workloads_and_no_answer_by_labels(asked):
    odd = "apiVersion: v1\nkind: Namespace\nmetadata: {name: bar, labels: [a]}\n"
    done = asked(odd, "reach")
    assert done.code == 0 and "bar/tap[Deployment]" in done.out and "odd.yaml:3" in done.err
    for command in (
        ("reach", "--to", "bar"),
        ("reach", "--from", "bar/keg"),
        ("why", "--from", "bar/tap", "--to", "bar/keg", "--port", "80"),
    ):
        done = asked(odd, command[0], *command[1:])
        assert done.code == 2 and "the labels of namespace bar cannot be read" in done.err, done.err


def test_a_policy_whose_labels_are_none_is_bad_input_all_the_same(asked):
    odd = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: odd, namespace: bar, labels: [a]}\nspec: {podSelector: {}}\n"
    done = asked(odd, "reach")
    assert done.code == 2 and "metadata.labels: must be a mapping" in done.err


@pytest.mark.parametrize("command", ["reach", "generate"])
def test_a_kustomization_is_called_what_it_is(cli, tmp_path, command):
    (tmp_path / "kustomization.yaml").write_text("resources: [app.yaml]\n")
    done = cli(Stage())(command, str(tmp_path))
    assert done.code == 2 and "kustomization.yaml:1: a kustomization says how manifests are made" in done.err
    assert "`kustomize build`" in done.err and done.err.count("\n") == 1
