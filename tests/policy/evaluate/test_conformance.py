"""The evaluator answers the shared conformance cases as expected, "depends" included."""

import json
from pathlib import Path

import conformance
import pytest

SHARED = Path(__file__).parents[4] / "shared"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance cases are not beside this clone")
@pytest.mark.parametrize(
    ("cases", "queries"),
    [
        ("conformance/cases", 16_601),
        ("policies/admin", 2_689),
        ("policies/calico", 2_876),
        ("policies/cilium", 2_775),
        ("policies/cilium-options", 111),
    ],
)
def test_every_query_is_answered_as_expected(cases, queries):
    asked, missed = conformance.run(SHARED / cases)
    assert not missed, missed[:5]
    assert asked == queries


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance cases are not beside this clone")
@pytest.mark.parametrize("folder", ["policies/cilium", "policies/cilium-options"])
def test_each_side_answers_as_expected_and_says_where_a_proxy_decides(folder):
    for path in sorted((SHARED / folder).glob("*.json")):
        case = json.loads(path.read_text())
        network, pods = conformance.network_of(case), conformance.pods_of(case)
        for query in case["queries"]:
            if query["allowed"] is None:
                continue
            src, dst = (pods.get(query[end], query[end]) for end in ("src", "dst"))
            found = network.decide(src, dst, query["protocol"], query["port"])
            sides = {w.side: "allow" if w.allowed else "deny" for w in found.why}
            assert sides.get("Egress", "none") == query["egress"], (path.name, query)
            assert sides.get("Ingress", "none") == query["ingress"], (path.name, query)
            proxied = found.allowed and any("l7" in rule for w in found.why for rule in w.rules)
            assert proxied == query.get("l7", False), (path.name, query)


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
