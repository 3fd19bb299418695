"""The evaluator answers the shared conformance cases as expected, "depends" included."""

import json
from pathlib import Path

import conformance
import pytest

SHARED = Path(__file__).parents[4] / "shared"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance cases are not beside this clone")
@pytest.mark.parametrize(("cases", "queries"), [("conformance/cases", 16_601), ("policies/admin", 2_689)])
def test_every_query_is_answered_as_expected(cases, queries):
    asked, missed = conformance.run(SHARED / cases)
    assert not missed, missed[:5]
    assert asked == queries


def test_the_runner_says_what_it_missed(tmp_path, capsys):
    pod = {"namespace": "x", "labels": {}, "ip": "10.0.0.1", "ports": []}
    query = {"src": "x/a", "dst": "x/b", "protocol": "TCP", "port": 80, "allowed": False}
    case = {
        "name": "one",
        "namespaces": [{"name": "x", "labels": {}}],
        "pods": [{**pod, "name": "a"}, {**pod, "name": "b", "ip": "10.0.0.2"}],
        "policies": [],
        "queries": [query, {**query, "allowed": True}],
    }
    (tmp_path / "one.json").write_text(json.dumps(case))
    assert conformance.main(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "one.json: x/a -> x/b 80/TCP (decided): expected False, answered True",
        "2 queries, 1 as expected",
    ]
