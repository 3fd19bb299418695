"""Which connections a namespace's policies allow, worked out by hand for pods `a` and `b` and a pod elsewhere."""

from functools import lru_cache
from itertools import product

NAME = "kubernetes.io/metadata.name"
PODS = (("here", "a"), ("here", "b"), ("here", "c"), ("there", "a"), ("there", "b"))
SOME = ("netpol-canary.dev/canary", "track")  # labels by which some pods are told from the others
PLAIN = ((), (None,))


def view(*sets):
    """By which labels and ports some sets of policies tell connections apart: sets that are compared are seen alike."""
    parts = [_plain(o) for policies in sets for o in policies.values()]
    asked = {term for selector, _ in parts for term in selector if term[0] in SOME}
    labels = sorted({(key, value) for key, _, values in asked for value in values})
    rules = [rule for _, sides in parts for _, some in sides for rule in some]
    ports = sorted({port for rule in rules if rule is not None for port in rule[1]})
    return tuple(labels), (*ports, None) if ports else (None,)


def connections(namespace, policies, seen=PLAIN):
    """Triples of (source, destination, port) that may connect; what concerns no pod of the namespace is left out.

    No port stands for those that no policy names.
    """
    parts = tuple(_plain(o) for o in policies.values())
    return _connections(namespace, tuple(sorted(parts, key=repr)), *seen)


@lru_cache(maxsize=4096)
def _connections(namespace, parts, labels, ports):
    found = set()
    pods = [*PODS, *((*pod, label) for pod in PODS if pod[0] == "here" for label in labels)]
    for source, destination, port in product(pods, pods, ports):
        if "here" not in (source[0], destination[0]):
            continue
        out = source[0] == "there" or _allows(namespace, parts, "Egress", source, destination, port)
        into = destination[0] == "there" or _allows(namespace, parts, "Ingress", destination, source, port)
        if out and into:
            found.add((source, destination, port))
    return frozenset(found)


def _labels(pod):
    return {"app": pod[1], **dict(pod[2:])}


def _plain(obj):
    """A hashable policy: what it selects, its directions, its rules."""
    spec = obj["spec"]
    rules = {}
    for side, part, peers in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
        if side in spec["policyTypes"]:
            rules[side] = tuple(_rule(r.get(peers), r.get("ports")) for r in spec.get(part) or [])
    return _selector(spec["podSelector"]), tuple(sorted(rules.items()))


def _rule(peers, ports):
    """None allows everything; no peers are all of them, no ports as well."""
    if not peers and not ports:
        return None
    found = ((_maybe(p.get("podSelector")), _maybe(p.get("namespaceSelector"))) for p in peers or ())
    return tuple(found), tuple(p["port"] for p in ports or ())


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


def _allows(namespace, parts, side, pod, peer, port):
    mine = [rules for selector, rules in parts if _matches(selector, _labels(pod)) and side in dict(rules)]
    if not mine:
        return True
    return any(_admits(namespace, rule, peer, port) for rules in mine for rule in dict(rules)[side])


def _admits(namespace, rule, peer, port):
    if rule is None:
        return True
    peers, ports = rule
    if ports and port not in ports:
        return False
    places = {"here": namespace, "there": "elsewhere"}
    for pods, spaces in peers:
        near = peer[0] == "here" if spaces is None else _matches(spaces, {NAME: places[peer[0]]})
        if near and (pods is None or _matches(pods, _labels(peer))):
            return True
    return not peers
