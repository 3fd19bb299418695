"""The comparison of CRDs sees each way in which a newer one takes less, and nothing in one that takes more."""

import copy
from pathlib import Path

import pytest
import yaml
from schemas import narrowed

from orchestrator.rollout.resources.crd import crd
from orchestrator.rollout.resources.resource import MODELS


def schema(found):
    return found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def part(node, path):
    for name in path.split("."):
        node = node["items"] if name == "[]" else node["properties"][name]
    return node


def drop(path, name):
    return lambda root: part(root, path)["properties"].pop(name)


def put(path, **fields):
    return lambda root: part(root, path).update(fields)


NARROWER = {
    "a field that went": (drop("spec.git", "branch"), "spec.git.branch: was removed"),
    "a field below a list that went": (drop("spec.strategy.gates.[]", "groups"), "groups: was removed"),
    "another type": (put("spec.suspend", type="string"), "type boolean became string"),
    "a word that went": (put("spec.drift", enum=["report", "ignore"]), "'repair' cannot be said"),
    "words where there was any": (put("spec.git.url", enum=["x"]), "cannot be said any more"),
    "a lower maximum": (put("spec.revisionHistoryLimit", maximum=50), "maximum 100 became 50"),
    "a higher minimum": (put("spec.revisionHistoryLimit", minimum=2), "minimum 1 became 2"),
    "a minimum where there was none": (put("status.observedGeneration", minimum=1), "minimum None became 1"),
    "a shorter list": (put("spec.kinds", maxItems=1), "maxItems 16 became 1"),
    "a pattern": (put("spec.git.branch", pattern="^main$"), "pattern None became ^main$"),
    "a bound that is itself outside": (
        put("spec.strategy.analysis.alpha", exclusiveMaximum=True),
        "exclusiveMaximum None became True",
    ),
    "a new required field": (
        lambda root: (
            part(root, "spec")["required"].append("notifications2")
            or part(root, "spec")["properties"].update(notifications2={"type": "string"})
        ),
        "notifications2 became required",
    ),
    "a rule": (
        put("spec", **{"x-kubernetes-validations": [{"rule": "self.suspend"}]}),
        "a new rule: self.suspend",
    ),
}


@pytest.mark.parametrize(("change", "said"), NARROWER.values(), ids=NARROWER)
def test_what_takes_less_is_named(change, said):
    old = crd("PolicySource")
    new = copy.deepcopy(old)
    change(schema(new))
    found = narrowed(old, new)
    assert len(found) >= 1 and said in found[0], found


def test_what_takes_more_is_fine():
    old = crd("PolicySource")
    new = copy.deepcopy(old)
    root = schema(new)
    part(root, "spec")["properties"]["more"] = {"type": "string"}
    part(root, "spec")["required"].remove("namespaces")
    part(root, "spec.drift")["enum"].append("shout")
    part(root, "spec.revisionHistoryLimit")["maximum"] = 1000
    del part(root, "spec.git.branch")["maxLength"]
    assert narrowed(old, new) == []


def test_a_version_or_a_name_that_went_is_named():
    old = crd("PolicySource")
    new = copy.deepcopy(old)
    new["spec"]["versions"][0]["served"] = False
    new["spec"]["names"]["plural"] = "sources"
    assert narrowed(old, new) == [
        "spec.names.plural: policysources became sources",
        "v1alpha1 is not served any more",
    ]


def test_every_kind_equals_itself():
    assert [narrowed(crd(kind), crd(kind)) for kind in MODELS] == [[]] * len(MODELS)


FROZEN = sorted(Path(__file__).parent.glob("v*/crd/*.yaml"))


@pytest.mark.parametrize("path", FROZEN, ids=lambda p: f"{p.parents[1].name}-{p.stem}")
def test_a_crd_takes_whatever_a_released_one_took(path):
    old = yaml.safe_load(path.read_text())
    assert narrowed(old, crd(old["spec"]["names"]["kind"])) == []
