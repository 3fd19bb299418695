"""Every answer is what the OpenAPI document says of it, over the demo's data; the document is whole."""

import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from stage import Stage

from orchestrator.server.api.api_mount import routers
from orchestrator.server.api.openapi_document import document
from orchestrator.server.parts import Parts

PATHS = (
    "/sources",
    "/sources/shop",
    "/namespaces/checkout",
    "/rollouts",
    "/rollouts?phase=RolledBack&source=shop",
    "/rollouts/{name}",
    "/rollouts/{name}/evidence",
)
DOCUMENT = document(routers(Parts(Stage().context())))


def schema_of(path):
    """What the document says of an address, with all that it refers to."""
    found = next(p for p in DOCUMENT["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path))
    schema = DOCUMENT["paths"][found]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return {**schema, "components": DOCUMENT["components"]}


def fields(schema):
    """Every property of every object schema of the document."""
    return {name for s in schema["components"]["schemas"].values() for name in s.get("properties", {})}


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_what_the_document_says(shop, path):
    for name in [item["name"] for item in shop.json("/rollouts")["items"]]:
        asked = path.replace("{name}", name)
        answer = shop.json(asked)
        check = Draft202012Validator(
            schema_of(f"/api/v1{asked.partition('?')[0]}"), format_checker=FormatChecker()
        )
        assert [error.message for error in check.iter_errors(answer)] == []
        if "{name}" not in path:
            break


def test_every_address_of_the_document_is_tried_here():
    tried = {f"/api/v1{path.partition('?')[0]}" for path in PATHS}
    assert all(
        any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path) for path in tried)
        for known in DOCUMENT["paths"]
    )


def test_the_document_is_served_and_whole(shop):
    served = shop.json("/openapi.json")
    assert served == DOCUMENT and served["openapi"].startswith("3.1")
    ids = [o["operationId"] for item in served["paths"].values() for o in item.values()]
    assert len(set(ids)) == len(ids) and all(set(item) == {"get"} for item in served["paths"].values())
    for name, schema in served["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), name
    text = str(served)
    for ref in re.findall(r"#/components/schemas/(\w+)", text):
        assert ref in served["components"]["schemas"]


def test_the_demo_s_data_fills_the_answers(shop):
    """What is validated is no empty list."""
    rollouts = shop.json("/rollouts")["items"]
    assert {r["phase"] for r in rollouts} == {"Succeeded", "RolledBack", "Paused"}
    paused = next(r["name"] for r in rollouts if r["phase"] == "Paused")
    assert shop.json(f"/rollouts/{paused}")["gates"][0]["needed"] == 1
    back = next(r["name"] for r in rollouts if r["phase"] == "RolledBack")
    found = shop.json(f"/rollouts/{back}")
    assert found["explained"] and found["record"] and found["verified"] == "True"
    evidence = shop.json(f"/rollouts/{back}/evidence")["items"][0]
    assert evidence["metrics"][0]["measurements"] and evidence["probes"] and evidence["connections"]
    space = shop.json("/namespaces/checkout")
    assert space["policies"][0]["rules"] and space["changes"] and space["sources"] == ["shop"]
    source = shop.json("/sources/shop")
    assert source["namespaces"] and source["conditions"] is not None and source["currentRevision"]
