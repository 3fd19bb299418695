"""What a newer CRD no longer takes, or no longer keeps, of what an older one did."""

LOWERED = ("maximum", "maxLength", "maxItems", "maxProperties")
RAISED = ("minimum", "minLength", "minItems", "minProperties")
SAME = ("type", "format", "pattern", "exclusiveMinimum", "exclusiveMaximum", "x-kubernetes-list-type")
NAMES = ("kind", "plural", "singular", "shortNames")


def narrowed(old, new):
    """A line for each thing that an object of the old CRD may break on; empty where every such object stays good."""
    found = [
        f"spec.names.{n}: {old['spec']['names'].get(n)} became {new['spec']['names'].get(n)}"
        for n in NAMES
        if old["spec"]["names"].get(n) != new["spec"]["names"].get(n)
    ]
    if old["spec"]["scope"] != new["spec"]["scope"]:
        found.append(f"spec.scope: {old['spec']['scope']} became {new['spec']['scope']}")
    versions = {v["name"]: v for v in new["spec"]["versions"]}
    for version in old["spec"]["versions"]:
        now = versions.get(version["name"])
        if now is None or (version["served"] and not now["served"]):
            found.append(f"{version['name']} is not served any more")
        else:
            found += _node(_root(version), _root(now), version["name"])
    return found


def _root(version):
    return version["schema"]["openAPIV3Schema"]


def _node(old, new, path):
    found = [f"{path}: {k} {old.get(k)} became {new.get(k)}" for k in SAME if _stricter(old, new, k)]
    found += [f"{path}: {k} {old.get(k)} became {new[k]}" for k in LOWERED if _less(old, new, k)]
    found += [f"{path}: {k} {old.get(k)} became {new[k]}" for k in RAISED if _less(old, new, k, -1)]
    if "enum" in new and (lost := [v for v in old.get("enum", ["anything else"]) if v not in new["enum"]]):
        found.append(f"{path}: {', '.join(map(repr, lost))} cannot be said any more")
    if old.get("nullable") and not new.get("nullable"):
        found.append(f"{path}: null is not taken any more")
    found += [f"{path}: {f} became required" for f in _required(old, new)]
    found += [f"{path}: a new rule: {r['rule']}" for r in _rules(new) if r["rule"] not in _said(old)]
    here = new.get("properties", {})
    for name, child in old.get("properties", {}).items():
        found += (
            _node(child, here[name], f"{path}.{name}") if name in here else [f"{path}.{name}: was removed"]
        )
    if "items" in old and "items" in new:
        found += _node(old["items"], new["items"], f"{path}[]")
    return found


def _stricter(old, new, key):
    """Another value is; that it went is not, but for the type."""
    return old.get(key) != new.get(key) and (key in new or key == "type")


def _less(old, new, key, sign=1):
    return key in new and (key not in old or sign * new[key] < sign * old[key])


def _required(old, new):
    """What an old object may lack: a default that the API server fills in makes up for it."""
    fresh = [f for f in new.get("required", []) if f not in old.get("required", [])]
    return [f for f in fresh if "default" not in new.get("properties", {}).get(f, {})]


def _rules(node):
    return node.get("x-kubernetes-validations", [])


def _said(node):
    return {r["rule"] for r in _rules(node)}
