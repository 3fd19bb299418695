"""Runs a folder of conformance cases: `python tests/conformance.py DIR`, or `make conformance CASES=DIR`.

A case is a JSON file: namespaces, pods, nodes, policies, clusterPolicies, adminPolicies, queries; of Cilium also
ciliumPolicies, ciliumConfig, addresses, services, endpointSlices, cidrGroups, invalid; of Calico calicoPolicies, serviceAccounts,
services, endpointSlices. A query is expected to be answered
as `allowed` says; where that is null, as `documented` says; where there is neither, as "depends".
Prints the misses, then `N queries, M as expected`; exits with 1 where some were missed.
"""

import json
import sys
from pathlib import Path

from orchestrator.policy.evaluate.cilium.cilium_agent import configured
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.pod import NamedPort, Pod

FURTHER = ("ciliumPolicies", "calicoPolicies", "cidrGroups", "services", "endpointSlices")
OPTIONS = {  # of a case, by the keys of Cilium's ConfigMap
    "policyCIDRMatch": "policy-cidr-match-mode",
    "policyEnforcement": "enable-policy",
    "nodeSelectorLabels": "enable-node-selector-labels",
    "hostFirewall": "enable-host-firewall",
    "allowLocalhost": "allow-localhost",
}


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
            account=p.get("serviceAccount", "default"),
        )
        found[f"{pod.namespace}/{pod.name}"] = pod
    return found


def further_of(case):
    """Policies of CNIs' own APIs and what they refer to, but for those that are refused and do nothing."""
    for account in case.get("serviceAccounts") or ():
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}
    refused = case.get("invalid") or ()
    for key in FURTHER:
        for obj in case.get(key) or ():
            meta = obj["metadata"]
            if "/".join(filter(None, (obj["kind"], meta.get("namespace"), meta["name"]))) not in refused:
                yield obj


def agent_of(case):
    """The options of Cilium's agent; None where the case is not one of Cilium."""
    if "ciliumPolicies" not in case:
        return None
    given = case.get("ciliumConfig") or {}
    data = {
        OPTIONS[key]: " ".join(value) if isinstance(value, list) else str(value)
        for key, value in given.items()
    }
    return configured(data, case.get("addresses") or {})


def network_of(case, settled=None, agent=None):
    """The evaluator over a case."""
    nodes = {a: n["labels"] for n in case.get("nodes") or () for a in n.get("addresses") or [n["ip"]]}
    return Network(
        {n["name"]: n["labels"] for n in case["namespaces"]},
        case["policies"],
        [*(case.get("clusterPolicies") or ()), *(case.get("adminPolicies") or ())],
        settled,
        nodes,
        list(further_of(case)),
        agent or agent_of(case),
    )


def answers(case):
    """Each query of a case with the expected and the given answer; None is "depends"."""
    network = network_of(case)
    pods = pods_of(case)
    for query in case["queries"]:
        expected = query["allowed"] if query["allowed"] is not None else query.get("documented")
        src, dst = (pods.get(query[end], query[end]) for end in ("src", "dst"))
        yield query, expected, network.judge(src, dst, asked(query)).allowed


def asked(query):
    """The set of ports that a query is about: of ICMP a type and a code."""
    if "icmpType" in query:
        return port_sets.icmp(query["protocol"], query["icmpType"], query["icmpCode"])
    return port_sets.asked(query["protocol"], query["port"])


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
