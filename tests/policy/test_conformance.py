"""The evaluator answers the shared NetworkPolicy cases as expected."""

import json
from pathlib import Path

import pytest

from orchestrator.policy.evaluator import NamedPort, Network, Pod

CASES = Path(__file__).parents[3] / "shared" / "conformance" / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared conformance cases are not beside this clone")
def test_every_decided_networkpolicy_query_is_answered_as_expected():
    asked, wrong = 0, []
    for path in sorted(CASES.glob("*.json")):
        case = json.loads(path.read_text())
        if case["clusterPolicies"]:
            continue
        network = Network({n["name"]: n["labels"] for n in case["namespaces"]}, case["policies"])
        pods = {}
        for p in case["pods"]:
            ports = tuple(NamedPort(q["name"], q["port"], q["protocol"]) for q in p["ports"])
            pods[f"{p['namespace']}/{p['name']}"] = Pod(
                p["namespace"], p["name"], p["labels"], p["ip"], ports
            )
        for query in case["queries"]:
            if query["allowed"] is None:
                continue
            asked += 1
            src, dst = (pods.get(query[end], query[end]) for end in ("src", "dst"))
            if network.allowed(src, dst, query["protocol"], query["port"]) != query["allowed"]:
                wrong.append((path.name, query))
    assert not wrong, wrong[:5]
    assert asked > 10_000
