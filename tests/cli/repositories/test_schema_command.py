"""`schema` gives editors what this version takes."""

import json

import pytest
from stage import Stage

from orchestrator.cli.repositories.editor_schemas import schemas


@pytest.fixture
def netpol(cli):
    return cli(Stage())


@pytest.mark.parametrize("kind", ["policysource", "policytest", "rolloutfreeze", "lint", "settings"])
def test_each_kind_is_printed(netpol, kind):
    done = netpol("schema", kind)
    assert done.code == 0 and json.loads(done.out) == json.loads(schemas()[kind])


def test_all_are_written_and_an_older_one_is_replaced(netpol, tmp_path):
    (tmp_path / "lint.json").write_text("{}")
    done = netpol("schema", "--to", str(tmp_path))
    assert done.code == 0 and done.out.startswith("lint.json, policysource.json, ")
    assert {p.stem: p.read_text() for p in tmp_path.iterdir()} == schemas()


def test_one_alone_is_written(netpol, tmp_path):
    assert netpol("schema", "lint", "--to", str(tmp_path / "new")).code == 0
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["lint.json"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "which schema?; take one of lint, policysource"),
        (("policytst",), "there is no schema policytst; did you mean policytest or policysource?"),
        (("lint", "--to", "/proc/none"), "/proc/none: cannot be written"),
    ],
)
def test_bad_input(netpol, given, said):
    done = netpol("schema", *given)
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1
