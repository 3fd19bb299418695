"""Runs a folder of conformance cases: `python tests/conformance.py DIR`, or `make conformance CASES=DIR`.

A case is a JSON file: namespaces, pods, nodes, policies, clusterPolicies, adminPolicies, queries. A query is expected to be answered
as `allowed` says; where that is null, as `documented` says; where there is neither, as "depends".
Prints the misses, then `N queries, M as expected`; exits with 1 where some were missed.
"""

import json
import sys
from pathlib import Path

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.pod import NamedPort, Pod


def pods_of(case):
    """The case's pods by `namespace/name`."""
    found = {}
    for p in case["pods"]:
        ports = tuple(NamedPort(q["name"], q["port"], q["protocol"]) for q in p["ports"])
        pod = Pod(
            p["namespace"],
            p["name"],
            p["labels"],
            p["ip"],
            ports,
            p.get("nodeIP", ""),
            p.get("hostNetwork", False),
        )
        found[f"{pod.namespace}/{pod.name}"] = pod
    return found


def answers(case):
    """Each query of a case with the expected and the given answer; None is "depends"."""
    network = Network(
        {n["name"]: n["labels"] for n in case["namespaces"]},
        case["policies"],
        [*(case.get("clusterPolicies") or ()), *(case.get("adminPolicies") or ())],
        nodes={a: node["labels"] for node in case.get("nodes") or () for a in node["addresses"]},
    )
    pods = pods_of(case)
    for query in case["queries"]:
        expected = query["allowed"] if query["allowed"] is not None else query.get("documented")
        src, dst = (pods.get(query[end], query[end]) for end in ("src", "dst"))
        yield query, expected, network.decide(src, dst, query["protocol"], query["port"]).allowed


def run(folder):
    """All cases below a folder: how many queries, and the misses as text."""
    asked, missed = 0, []
    for path in sorted(Path(folder).rglob("*.json")):
        case = json.loads(path.read_text())
        if not isinstance(case, dict) or "queries" not in case:
            continue
        for query, expected, given in answers(case):
            asked += 1
            if given is not expected:
                why = query.get("reason", "decided")
                what = f"{query['src']} -> {query['dst']} {query['port']}/{query['protocol']}"
                missed.append(f"{path.name}: {what} ({why}): expected {expected}, answered {given}")
    return asked, missed


def main(folder):
    asked, missed = run(folder)
    for line in missed:
        print(line)
    print(f"{asked} queries, {asked - len(missed)} as expected")
    return 1 if missed or not asked else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python tests/conformance.py DIR")
    sys.exit(main(sys.argv[1]))
