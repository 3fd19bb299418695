"""The CRDs: generated, structural, fresh."""

import json
from pathlib import Path

from orchestrator.rollout.resources.crd import crd, files
from orchestrator.rollout.resources.resource import MODELS

CONFIG = Path(__file__).parents[2] / "config" / "crd"


def walk(node, path=""):
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")


def nodes():
    """Every place of every kind's schema."""
    for kind in MODELS:
        yield from walk(crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"], kind)


def test_the_files_in_config_are_what_the_models_give():
    assert {p.name: p.read_text() for p in CONFIG.iterdir()} == files(), "run `make crds`"


def test_every_schema_is_structural_and_every_list_is_bounded():
    for path, node in nodes():
        assert "type" in node, f"{path} has no type"
        assert not {"$ref", "anyOf", "oneOf", "allOf"} & node.keys(), path
        for bound, mark in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            assert node.get(mark, True) is True and (mark not in node or bound in node), path
        if node["type"] == "array":
            assert "maxItems" in node, f"{path} has no bound"


def test_no_default_holds_a_null_which_an_api_server_takes_once_and_never_again():
    for path, node in nodes():
        assert "null" not in json.dumps(node.get("default", 0)), path
