"""A finding of which no file is known names its object; formats that want a file get one, and none gets a directory."""

import json
from xml.etree import ElementTree

import pytest

from orchestrator.cli.findings.problems import show
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.lint.findings import RULES, Finding
from orchestrator.ports import Files

LOST = Finding(RULES["NPC004"], "quay/crane[Deployment]", "no policy isolates it for ingress", "")
FILES = Files({"b/later.yaml": b"x: 1\n", "a/first.yml": b"x: 1\n", "README": b""})
NONE = Files()
FILES.below = NONE.below = "net/"


@pytest.fixture
def shown(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "net").mkdir()

    def go(output, files=FILES):
        show(tmp_path / "net", [LOST], output, Places(files))
        return capsys.readouterr().out

    return go


def test_sarif_has_the_object_beside_a_file_that_is_there(shown):
    (result,) = json.loads(shown("sarif"))["runs"][0]["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "net/a/first.yml"
    assert location["logicalLocations"] == [{"fullyQualifiedName": "quay/crane[Deployment]"}]


def test_code_quality_has_a_file_and_junit_and_annotations_none(shown):
    (found,) = json.loads(shown("gitlab"))
    assert found["location"]["path"] == "net/a/first.yml"
    (case,) = ElementTree.fromstring(shown("junit")).findall("testcase")
    assert case.get("classname") == "quay/crane[Deployment]"
    assert shown("github").startswith("::notice title=NPC004::quay/crane[Deployment]: no policy")


def test_where_there_is_no_file_at_all_sarif_has_a_location_still(shown):
    (result,) = json.loads(shown("sarif", NONE))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "net"
