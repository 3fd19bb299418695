"""What an account was granted, and what the API server's audit log says that it did."""

import json
from pathlib import Path

# Granted to everybody who is somebody: who am I, may I, which kinds are there.
EVERYBODYS = {"selfsubjectreviews.authentication.k8s.io", "selfsubjectaccessreviews.authorization.k8s.io"}


def _resource(group, resource, subresource=""):
    name = f"{resource}/{subresource}" if subresource else resource
    return f"{name}.{group}" if group else name


def granted(plane, account, namespace="netpol-canary"):
    """The (verb, resource) pairs that Roles and ClusterRoles bound to a service account give."""
    found = set()
    for kind in ("role", "clusterrole"):
        scope = ("-n", namespace) if kind == "role" else ()
        rules = {r["metadata"]["name"]: r.get("rules") or [] for r in _items(plane, f"{kind}s", *scope)}
        for binding in _items(plane, f"{kind}bindings", *scope):
            mine = any(
                (s["kind"], s["name"], s.get("namespace")) == ("ServiceAccount", account, namespace)
                for s in binding.get("subjects") or []
            )
            for rule in rules.get(binding["roleRef"]["name"], []) if mine else []:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        name, _, sub = resource.partition("/")
                        found |= {(verb, _resource(group, name, sub)) for verb in rule["verbs"]}
    return found


def _items(plane, kinds, *scope):
    return json.loads(plane.run("get", kinds, *scope, "-o", "json"))["items"]


def did(plane, account, since="", namespace="netpol-canary"):
    """The (verb, resource) pairs that an account was allowed since a time, and those that it was denied."""
    user = f"system:serviceaccount:{namespace}:{account}"
    allowed, denied = set(), set()
    folder = Path(plane.kubeconfig).parent
    for log in sorted(folder.glob("audit*.log")):
        for line in log.read_text().rpartition("\n")[0].splitlines():  # the last one may be half written
            event = json.loads(line)
            about = event.get("objectRef")
            if event["user"]["username"] != user or not about or event["requestReceivedTimestamp"] < since:
                continue
            name = _resource(about.get("apiGroup", ""), about["resource"], about.get("subresource", ""))
            if name in EVERYBODYS:
                continue
            yes = event.get("annotations", {}).get("authorization.k8s.io/decision") == "allow"
            (allowed if yes else denied).add((event["verb"], name))
    return allowed, denied
