"""The evaluator answers the shared conformance cases as expected, "depends" included."""

import json
from pathlib import Path

import conformance
import pytest

CASES = Path(__file__).parents[4] / "shared" / "conformance" / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared conformance cases are not beside this clone")
def test_every_query_is_answered_as_expected():
    asked, missed = conformance.run(CASES)
    assert not missed, missed[:5]
    assert asked > 16_000


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
