"""What an account was granted, and what the API server's audit log says that it did."""

import itertools
import json
from pathlib import Path

# Granted to everybody who is somebody: who am I, may I, which kinds are there.
EVERYBODYS = {"selfsubjectreviews.authentication.k8s.io", "selfsubjectaccessreviews.authorization.k8s.io"}


def _resource(group, resource, subresource=""):
    name = f"{resource}/{subresource}" if subresource else resource
    return f"{name}.{group}" if group else name


def granted(plane, account, namespace="netpol-canary"):
    """The (verb, resource) pairs that a service account is given, by name or by a group of all of its namespace."""
    rules = {
        (i["kind"], i["metadata"].get("namespace", ""), i["metadata"]["name"]): i.get("rules") or []
        for i in _items(plane, "roles,clusterroles")
    }
    found = set()
    for binding in _items(plane, "rolebindings,clusterrolebindings"):
        if not any(_is(s, account, namespace) for s in binding.get("subjects") or []):
            continue
        role = binding["roleRef"]
        home = binding["metadata"].get("namespace", "") if role["kind"] == "Role" else ""
        for rule in rules.get((role["kind"], home, role["name"]), []):
            for group, resource in itertools.product(rule.get("apiGroups", []), rule.get("resources", [])):
                found |= {(verb, _resource(group, *resource.split("/", 1))) for verb in rule["verbs"]}
    return found


def _is(subject, account, namespace):
    if subject["kind"] == "Group":
        return subject["name"] == f"system:serviceaccounts:{namespace}"
    known = (subject["kind"], subject["name"], subject.get("namespace"))
    return known == ("ServiceAccount", account, namespace)


def _items(plane, kinds):
    return json.loads(plane.run("get", kinds, "-A", "-o", "json"))["items"]


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
