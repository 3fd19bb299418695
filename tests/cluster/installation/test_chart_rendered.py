"""Helm's own `template` and `lint`: the chart gives what kustomize gives, and each value does what it says."""

import hashlib
import json
import subprocess

import harness
import pytest
import yaml
from chart.templates import KEEP, KEPT
from chart.values import KINDS, VALUES
from helm_program import CHART, SPACE, helm, hooks, rendered, valued
from patience import ENOUGH

from orchestrator.server import settings

pytestmark = pytest.mark.cluster

EXTRAS = ("argo", "archive", "monitoring", "network")
USERS, GROUPS = ["oidc:ann@example.com", "oidc:bob@example.com"], ["release-engineers"]
EVERYTHING = {
    **{part: {"enabled": True} for part in EXTRAS},
    "impersonation": {"enabled": True, "users": USERS, "groups": GROUPS},
    "podLabels": {"enabled": True},
    "kinds": {name.removeprefix("kinds."): True for name in KINDS},
}
CONTROLLER = ("Deployment", "netpol-canary")
POD = "spec.template.spec"
PODS = {
    "controller": (CONTROLLER, "spec.template"),
    "guard": (("Deployment", "netpol-canary-guard"), "spec.template"),
    "archive": (("CronJob", "netpol-canary-archive"), "spec.jobTemplate.spec.template"),
}
ACCOUNTS = {
    "controller": "netpol-canary",
    "guard": "netpol-canary-guard",
    "argo": "netpol-canary-step",
    "archive": "netpol-canary-archive",
}
STEP, WAVE = ("WorkflowTemplate", "netpol-canary-step"), ("WorkflowTemplate", "netpol-canary-wave")
TOLERATION = [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]
SPREAD = [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]
RESOURCES = {"limits": {"memory": "3Gi", "cpu": 2}, "requests": {"cpu": "1m", "memory": "1Mi"}}
NODES = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
DIGEST = "sha256:" + "a" * 64
WHOLE = f"x.example.com/y:7@{DIGEST}"
# What is given, in which object it is seen, where there, and as what.
EFFECTS = {
    "image.repository": ("x.example.com/y", CONTROLLER, f"{POD}.containers.0.image", WHOLE),
    "image.tag": ("7", CONTROLLER, f"{POD}.containers.0.env.0.value", WHOLE),
    "image.digest": (
        DIGEST,
        ("ValidatingAdmissionPolicy", "netpol-canary-probe-images"),
        "spec.variables.0.expression",
        f"'{WHOLE}'",
    ),
    "image.pullPolicy": ("Always", CONTROLLER, f"{POD}.containers.0.imagePullPolicy", "Always"),
    "imagePullSecrets": ([{"name": "mine"}], WAVE, "spec.imagePullSecrets", [{"name": "mine"}]),
    "probeImages": (
        ["a.example.com/p:1", "b.example.com/p:2"],
        ("ValidatingAdmissionPolicy", "netpol-canary-probe-images"),
        "spec.variables.1.expression",
        "['a.example.com/p:1', 'b.example.com/p:2']",
    ),
    "env": (
        [{"name": "A", "value": "1"}],
        STEP,
        "spec.templates.0.container.env.2",
        {"name": "A", "value": "1"},
    ),
    "controller.env": (
        [{"name": "B", "value": "2"}],
        CONTROLLER,
        f"{POD}.containers.0.env.2",
        {"name": "B", "value": "2"},
    ),
    "controller.volumes": (
        [{"name": "ca", "configMap": {"name": "ca"}}],
        CONTROLLER,
        f"{POD}.volumes.1.configMap.name",
        "ca",
    ),
    "controller.volumeMounts": (
        [{"name": "ca", "mountPath": "/ca"}],
        CONTROLLER,
        f"{POD}.containers.0.volumeMounts.1.mountPath",
        "/ca",
    ),
    "controller.replicas": (3, CONTROLLER, "spec.replicas", 3),
    "guard.replicas": (3, ("Deployment", "netpol-canary-guard"), "spec.replicas", 3),
    "service.annotations": ({"a": "b"}, ("Service", "netpol-canary"), "metadata.annotations", {"a": "b"}),
    "argo.resources": (RESOURCES, STEP, "spec.templates.0.container.resources", RESOURCES),
    "argo.nodeSelector": ({"a": "b"}, WAVE, "spec.nodeSelector", {"a": "b"}),
    "argo.tolerations": (TOLERATION, WAVE, "spec.tolerations", TOLERATION),
    "argo.podLabels": ({"team": "net"}, STEP, "spec.templates.0.metadata.labels.team", "net"),
    "argo.podAnnotations": ({"a": "b"}, STEP, "spec.templates.0.metadata.annotations", {"a": "b"}),
    "archive.schedule": ("@daily", ("CronJob", "netpol-canary-archive"), "spec.schedule", "@daily"),
    "archive.storage.size": (
        "9Gi",
        ("PersistentVolumeClaim", "netpol-canary-archive"),
        "spec.resources.requests.storage",
        "9Gi",
    ),
    "archive.storage.className": (
        "fast",
        ("PersistentVolumeClaim", "netpol-canary-archive"),
        "spec.storageClassName",
        "fast",
    ),
    "monitoring.labels": (
        {"release": "prometheus"},
        ("PrometheusRule", "netpol-canary"),
        "metadata.labels.release",
        "prometheus",
    ),
    "impersonation.users": (
        ["oidc:cat@example.com"],
        ("ClusterRole", "netpol-canary-impersonator"),
        "rules.1.resourceNames",
        ["oidc:cat@example.com"],
    ),
    "impersonation.groups": (
        ["oidc:cats"],
        ("ClusterRole", "netpol-canary-impersonator"),
        "rules.0.resourceNames",
        ["oidc:cats"],
    ),
}
for _part, (_obj, _template) in PODS.items():
    EFFECTS |= {
        f"{_part}.resources": (RESOURCES, _obj, f"{_template}.spec.containers.0.resources", RESOURCES),
        f"{_part}.nodeSelector": ({"a": "b"}, _obj, f"{_template}.spec.nodeSelector", {"a": "b"}),
        f"{_part}.tolerations": (TOLERATION, _obj, f"{_template}.spec.tolerations", TOLERATION),
        f"{_part}.affinity": (NODES, _obj, f"{_template}.spec.affinity.nodeAffinity", NODES["nodeAffinity"]),
        f"{_part}.topologySpreadConstraints": (
            SPREAD,
            _obj,
            f"{_template}.spec.topologySpreadConstraints",
            SPREAD,
        ),
        f"{_part}.priorityClassName": ("high", _obj, f"{_template}.spec.priorityClassName", "high"),
        f"{_part}.podLabels": ({"team": "net"}, _obj, f"{_template}.metadata.labels.team", "net"),
        f"{_part}.podAnnotations": ({"a": "b"}, _obj, f"{_template}.metadata.annotations", {"a": "b"}),
    }
for _part, _name in ACCOUNTS.items():
    EFFECTS[f"{_part}.serviceAccount.annotations"] = (
        {"a": "b"},
        ("ServiceAccount", _name),
        "metadata.annotations",
        {"a": "b"},
    )
# Held by tests of their own: what a part installs, and the file of settings.
ELSEWHERE = {"settings", *KINDS, *(v.name for v in VALUES if v.name.endswith(".enabled"))}


def built(*bases):
    """What kustomize gives of bases of config/."""
    found = []
    for base in bases:
        command = [harness.binaries() / "kubectl", "kustomize", harness.ROOT / "config" / base]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH, check=True)
        found += yaml.safe_load_all(done.stdout)
    return found


def canonical(obj):
    """As text; Helm's one annotation is held by a test of its own, and kustomize writes 0.0 as 0."""
    meta = dict(obj["metadata"])
    if obj["kind"] in KEPT:
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k not in KEEP}
        meta = {k: v for k, v in meta.items() if v}
    text = json.dumps({**obj, "metadata": meta}, sort_keys=True)
    return text.replace(": 0.0", ": 0").replace(": 1.0", ": 1")


def comparable(objects):
    """CRDs are kept in the chart alone, so that their annotation is added here to compare the rest."""
    made = []
    for obj in objects:
        meta = obj["metadata"]
        if obj["kind"] in KEPT:
            meta = {**meta, "annotations": meta.get("annotations") or {}}
        made.append(canonical({**obj, "metadata": meta}))
    return sorted(made)


def given(name, value):
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


def merged(one, other):
    return {
        **one,
        **{k: merged(one.get(k, {}), v) if isinstance(v, dict) and k in one else v for k, v in other.items()},
    }


def at(obj, path):
    for part in path.split("."):
        obj = obj[int(part)] if part.isdigit() else obj[part]
    return obj


def by_name(documents):
    return {(d["kind"], d["metadata"]["name"]): d for d in documents}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All parts, by kind and name."""
    return by_name(rendered(*valued(tmp_path_factory.mktemp("all"), EVERYTHING)))


def test_by_default_it_is_what_kustomize_gives():
    assert comparable(rendered()) == comparable(built("default"))


def test_with_all_parts_it_is_what_their_bases_give(everything):
    assert comparable(everything.values()) == comparable(
        built("default", *EXTRAS, "podlabels", "kinds", "impersonation")
    )


def test_what_holds_the_record_of_rollouts_is_kept_and_nothing_else(everything):
    kept = {
        kind
        for (kind, _), d in everything.items()
        if (d["metadata"].get("annotations") or {}).items() >= KEEP.items()
    }
    found = {
        key
        for key, d in everything.items()
        if (d["metadata"].get("annotations") or {}).items() >= KEEP.items()
    }
    assert kept == set(KEPT)
    assert found == {key for key in everything if key[0] in KEPT}
    assert len([key for key in found if key[0] == "CustomResourceDefinition"]) == 6


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "all parts"])
def test_lint_finds_nothing(tmp_path, values):
    done = helm("lint", "--strict", "-n", SPACE, CHART, *valued(tmp_path, values))
    assert done.returncode == 0 and "0 chart(s) failed" in done.stdout, done.stdout + done.stderr
    assert "WARNING" not in done.stdout and "ERROR" not in done.stdout


def test_each_value_is_tried():
    assert {v.name for v in VALUES} == set(EFFECTS) | ELSEWHERE


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """All parts with every value of EFFECTS given."""
    values = EVERYTHING
    for name, (value, *_) in EFFECTS.items():
        values = merged(values, given(name, value))
    return by_name(rendered(*valued(tmp_path_factory.mktemp("changed"), values)))


@pytest.mark.parametrize("name", EFFECTS)
def test_a_value_stands_where_it_says(everything, changed, name):
    _, key, path, seen = EFFECTS[name]
    assert at(changed[key], path) == seen
    assert changed.keys() == everything.keys() and changed[key] != everything[key]


@pytest.mark.parametrize(
    ("image", "whole"),
    [
        ({"repository": "r.example.com/n"}, "r.example.com/n:0.1.0"),
        ({"repository": "r.example.com/n", "tag": "1.2"}, "r.example.com/n:1.2"),
        ({"repository": "r.example.com/n", "digest": DIGEST}, f"r.example.com/n@{DIGEST}"),
    ],
)
def test_the_image_is_the_same_everywhere(tmp_path, image, whole):
    given = valued(tmp_path, {**EVERYTHING, "image": image})
    text = json.dumps([*rendered(*given), *hooks(*given).values()])
    assert text.count(f'{whole}"') + text.count(f"{whole}'") == 8
    assert (
        "netpol-canary:0.1.0" not in text
    )  # controller, guard, archive, step, their probes', admission, the check


def test_an_image_that_is_pulled_by_secrets_is_so_everywhere(tmp_path):
    given = valued(tmp_path, {**EVERYTHING, "imagePullSecrets": [{"name": "mine"}], "env": [{"name": "A"}]})
    found = by_name(rendered(*given))
    specs = [at(found[key], f"{template}.spec") for key, template in PODS.values()]
    specs.append(hooks(*given)["Job"]["spec"]["template"]["spec"])
    assert [s["imagePullSecrets"] for s in [*specs, found[WAVE]["spec"]]] == [[{"name": "mine"}]] * 5
    assert all(s["containers"][0]["env"][-1] == {"name": "A"} for s in specs)


def test_each_kind_is_granted_by_itself(tmp_path):
    plain = by_name(rendered()).keys()
    for name in KINDS:
        kind = name.removeprefix("kinds.")
        role = f"netpol-canary-{kind.lower()}"
        found = by_name(rendered(*valued(tmp_path, {"kinds": {kind: True}}))).keys()
        assert found - plain == {("ClusterRole", role), ("ClusterRoleBinding", role)}


@pytest.mark.parametrize("part", [v.name.split(".")[0] for v in VALUES if v.name.endswith(".enabled")])
def test_a_part_that_is_off_leaves_nothing_and_takes_nothing_else(tmp_path, everything, part):
    bases = {"crds": "crd", "podLabels": "podlabels"}
    found = by_name(rendered(*valued(tmp_path, merged(EVERYTHING, {part: {"enabled": False}}))))
    assert everything.keys() - found.keys() == by_name(built(bases.get(part, part))).keys()
    assert all(found[key] == everything[key] for key in found)


def test_settings_are_the_file_that_the_controller_reads(tmp_path):
    said = {
        "controller": {"poll_seconds": 60},
        "webhooks": {"max_bytes": 2097152},
        "pages": {"enabled": False},
    }
    found = by_name(rendered(*valued(tmp_path, {"settings": said})))
    text = found["ConfigMap", "netpol-canary-settings"]["data"]["settings.yaml"]
    (tmp_path / "settings.yaml").write_text(text)
    loaded = settings.load(tmp_path / "settings.yaml")
    assert (loaded.controller.poll_seconds, loaded.webhooks.max_bytes, loaded.pages.enabled) == (
        60,
        2097152,
        False,
    )
    spec = found[CONTROLLER]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    file = container["args"][container["args"].index("--config") + 1]
    mount = container["volumeMounts"][-1]
    assert file == f"{mount['mountPath']}/settings.yaml"
    assert spec["volumes"][-1] == {"name": mount["name"], "configMap": {"name": "netpol-canary-settings"}}
    said["pages"]["enabled"] = True
    again = by_name(rendered(*valued(tmp_path, {"settings": said})))[CONTROLLER]
    sums = [
        d["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
        for d in (found[CONTROLLER], again)
    ]
    assert len(set(sums)) == 2 and len(sums[0]) == len(hashlib.sha256().hexdigest())


def test_a_misspelt_value_is_refused_by_name(tmp_path):
    for values, word in (
        ({"contoller": {"replicas": 1}}, "contoller"),
        ({"settings": {"controller": {"poll_second": 1}}}, "poll_second"),
        ({"impersonation": {"enabled": True}}, "impersonation"),
    ):
        done = helm("template", "netpol-canary", CHART, "-n", SPACE, *valued(tmp_path, values))
        assert done.returncode == 1 and word in done.stderr, done.stderr


def test_another_namespace_is_refused():
    done = helm("template", "netpol-canary", CHART, "-n", "elsewhere")
    assert done.returncode == 1 and "give -n netpol-canary" in done.stderr


def test_the_check_before_uninstalling_has_one_right_and_a_restricted_pod():
    found = hooks()
    assert set(found) == {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Job"}
    assert found["ClusterRole"]["rules"] == [
        {"apiGroups": ["netpol-canary.dev"], "resources": ["policyrollouts"], "verbs": ["list"]}
    ]
    spec = found["Job"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["args"] == ["uninstall", "--check"]
    assert spec["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"]
    assert spec["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert {v["name"] for v in spec["volumes"]} == {m["name"] for m in container["volumeMounts"]} == {"tmp"}
    for hook in found.values():
        assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
