"""Which connections a namespace's policies allow, worked out by hand for pods `a` and `b` and a pod elsewhere."""

from functools import lru_cache
from itertools import product

NAME = "kubernetes.io/metadata.name"
PODS = (("here", "a"), ("here", "b"), ("here", "c"), ("there", "a"), ("there", "b"))


def connections(namespace, policies):
    """Pairs of (source, destination) that may connect; what concerns no pod of the namespace is left out."""
    parts = tuple(_plain(o) for o in policies.values())
    return _connections(namespace, tuple(sorted(parts, key=repr)))


@lru_cache(maxsize=4096)
def _connections(namespace, parts):
    found = set()
    for source, destination in product(PODS, PODS):
        if "here" not in (source[0], destination[0]):
            continue
        out = source[0] == "there" or _allows(namespace, parts, "Egress", source, destination)
        into = destination[0] == "there" or _allows(namespace, parts, "Ingress", destination, source)
        if out and into:
            found.add((source, destination))
    return frozenset(found)


def _plain(obj):
    """A hashable policy: what it selects, its directions, its rules."""
    spec = obj["spec"]
    rules = {}
    for side, part, peers in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
        if side in spec["policyTypes"]:
            rules[side] = tuple(_rule(r.get(peers)) for r in spec.get(part) or [])
    return _selector(spec["podSelector"]), tuple(sorted(rules.items()))


def _rule(peers):
    if not peers:
        return None
    return tuple((_maybe(p.get("podSelector")), _maybe(p.get("namespaceSelector"))) for p in peers)


def _maybe(selector):
    return None if selector is None else _selector(selector)


def _selector(selector):
    labels = tuple((k, "In", (v,)) for k, v in (selector.get("matchLabels") or {}).items())
    given = selector.get("matchExpressions") or []
    return labels + tuple((e["key"], e["operator"], tuple(e.get("values") or ())) for e in given)


def _matches(selector, labels):
    for key, operator, values in selector:
        value = labels.get(key)
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[operator]
        if not holds:
            return False
    return True


def _allows(namespace, parts, side, pod, peer):
    mine = [rules for selector, rules in parts if _matches(selector, {"app": pod[1]}) and side in dict(rules)]
    if not mine:
        return True
    return any(_admits(namespace, rule, peer) for rules in mine for rule in dict(rules)[side])


def _admits(namespace, rule, peer):
    if rule is None:
        return True
    places = {"here": namespace, "there": "elsewhere"}
    for pods, spaces in rule:
        near = peer[0] == "here" if spaces is None else _matches(spaces, {NAME: places[peer[0]]})
        if near and (pods is None or _matches(pods, {"app": peer[1]})):
            return True
    return False
