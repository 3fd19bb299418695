"""Cilium's policies evaluated one by one as their documentation reads: slow, plain, and without any code of the product.

A world is a dict: `namespaces` (labels by name), `pods` (dicts by `namespace/name`: namespace, name, labels, ip, node, ports as
(name, number, protocol), account, host), `nodes` (labels by address), `known` (address to names), `groups` (blocks by name),
`policies` (manifests of any kind), `options`.
"""

import ipaddress
import re
from functools import cache

LEFT_OUT = re.compile(
    r"^(io\.kubernetes|kubernetes\.io|k8s\.io|topology\.kubernetes\.io|pod-template-hash|controller-uid)"
)
NAMESPACE = "io.kubernetes.pod.namespace"
PREFIX = "io.cilium.k8s.namespace.labels."
CLUSTER = "io.cilium.k8s.policy.cluster"


number = cache(ipaddress.ip_address)


@cache
def network(text):
    return ipaddress.ip_network(text, strict=False)


def allowed(world, src, dst, protocol, port):
    """Whether a connection passes; an end is `namespace/name` or an address, of ICMP the port is the type."""
    one, other = (_seen(world["pods"].get(end, end)) for end in (src, dst))
    if one == other:
        return True
    out = isinstance(one, str) or at_end(world, "egress", one, other, other, protocol, port)
    return out and (isinstance(other, str) or at_end(world, "ingress", other, one, other, protocol, port))


def _seen(end):
    """What runs in a node's network is the node."""
    return end["node"] if isinstance(end, dict) and end["host"] else end


def refused(policy):
    """Whether the agent refuses a policy, of those that the random ones are: one without any rule in one of its specs."""
    lists = ("ingress", "egress", "ingressDeny", "egressDeny")
    specs = [*([policy["spec"]] if "spec" in policy else []), *policy.get("specs", [])]
    return policy["kind"].startswith("Cilium") and any(not any(s.get(n) for n in lists) for s in specs)


def at_end(world, side, pod, peer, dst, protocol, port):
    """Whether one end alone lets a connection pass."""
    verdict = _tier(world, "Admin", side, pod, peer, dst, protocol, port)
    if verdict in ("Accept", "Deny"):
        return verdict == "Accept"
    allows = denies = closed = False
    for policy, spec in _specs(world):
        if not _selects(world, policy, spec, pod):
            continue
        if policy["kind"] == "NetworkPolicy" and side.capitalize() not in spec["policyTypes"]:
            continue
        for name, deny in ((side, False), (f"{side}Deny", True)):
            for rule in spec.get(name) or []:
                if _matches(world, policy, rule, side, pod, peer, dst, protocol, port):
                    denies, allows = denies or deny, allows or not deny
        closed = closed or _closes(policy, spec, side)
    if denies:
        return False
    own = isinstance(peer, str) and peer == pod["node"]
    if allows or (own and side == "ingress"):
        return True
    if closed:
        return False
    return _tier(world, "Baseline", side, pod, peer, dst, protocol, port) != "Deny"


def _specs(world):
    for policy in world["policies"]:
        if policy["kind"] != "ClusterNetworkPolicy":
            for spec in [policy["spec"]] if "spec" in policy else []:
                yield policy, spec
            for spec in policy.get("specs", []):
                yield policy, spec


def _closes(policy, spec, side):
    if policy["kind"] == "NetworkPolicy":
        return side.capitalize() in spec["policyTypes"]
    some = spec.get(side) or spec.get(f"{side}Deny")
    return bool(some) and spec.get("enableDefaultDeny", {}).get(side) is not False


def _labels(world, pod):
    """As (source, key) to value."""
    found = {("k8s", key): value for key, value in pod["labels"].items() if not LEFT_OUT.match(key)}
    for key, value in world["namespaces"][pod["namespace"]].items():
        found["k8s", PREFIX + key] = value
    found["k8s", NAMESPACE] = pod["namespace"]
    found["k8s", CLUSTER] = "default"
    found["k8s", "io.cilium.k8s.policy.serviceaccount"] = pod["account"]
    return found


def _identity(world, end, viewer):
    if isinstance(end, dict):
        return _labels(world, end)
    names = set(world["known"].get(end, ()))
    if end == viewer["node"]:
        names.add("host")
    elif end in world["nodes"]:
        names.add("remote-node")
    elif not names & {"health", "ingress"}:
        names.add("world")
    return {("reserved", name): "" for name in names}


def _value(labels, key):
    source, colon, rest = key.partition(":")
    if not colon:
        source, rest = "any", key
    return next((v for (s, k), v in labels.items() if k == rest and source in ("any", s)), None)


def _holds(selector, labels):
    for key, value in selector.get("matchLabels", {}).items():
        if _value(labels, key) != value:
            return False
    for entry in selector.get("matchExpressions", []):
        value, operator = _value(labels, entry["key"]), entry["operator"]
        fine = {
            "In": value in entry.get("values", []),
            "NotIn": value not in entry.get("values", []),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[operator]
        if not fine:
            return False
    return True


def _selects(world, policy, spec, pod):
    if policy["kind"] == "NetworkPolicy":
        kept = {k: v for k, v in pod["labels"].items() if not LEFT_OUT.match(k)}
        return policy["metadata"]["namespace"] == pod["namespace"] and _plain(spec["podSelector"], kept)
    if "endpointSelector" not in spec:
        return False
    selector, labels = spec["endpointSelector"], _labels(world, pod)
    if policy["kind"] == "CiliumNetworkPolicy":
        if policy["metadata"]["namespace"] != pod["namespace"]:
            return False
        own = {k: v for k, v in selector.get("matchLabels", {}).items() if k != f"k8s:{NAMESPACE}"}
        selector = {**selector, "matchLabels": own}
    return _holds(selector, labels)


def _plain(selector, labels):
    return _holds(selector, {("k8s", k): v for k, v in labels.items()})


def _keys(selector):
    return [*selector.get("matchLabels", {}), *(e["key"] for e in selector.get("matchExpressions", []))]


def _endpoint(world, policy, selector, end, viewer):
    labels, keys = _identity(world, end, viewer), _keys(selector)
    if any(key.startswith("reserved:") for key in keys):
        return _holds(selector, labels)
    if not isinstance(end, dict):
        return False
    bare = [key.removeprefix("k8s:").removeprefix("any:") for key in keys]
    if policy["kind"] == "CiliumNetworkPolicy" and NAMESPACE not in bare:
        near = any(key.startswith(PREFIX) for key in bare)
        if not near and end["namespace"] != policy["metadata"]["namespace"]:
            return False
    return _holds(selector, labels)


def _entity(world, name, end, viewer):
    if name == "all":
        return True
    if isinstance(end, dict):
        return name == "cluster"
    here = {key for _, key in _identity(world, end, viewer)}
    if name == "cluster":
        return bool(here & {"host", "remote-node", "health", "ingress", "kube-apiserver"})
    return name in here


def _block(world, entry, end, viewer):
    if isinstance(end, dict) or ("reserved", "world") not in _identity(world, end, viewer):
        return False
    address = number(end)
    blocks = world["groups"].get(entry["cidrGroupRef"], []) if "cidrGroupRef" in entry else [entry["cidr"]]
    inside = any(address in network(block) for block in blocks)
    return inside and not any(address in network(e) for e in entry.get("except", []))


def _matches(world, policy, rule, side, pod, peer, dst, protocol, port):
    if policy["kind"] == "NetworkPolicy":
        given = rule.get("from" if side == "ingress" else "to") or []
        near = not given or any(_kubernetes_peer(world, policy, one, peer, pod) for one in given)
        return near and _kubernetes_port(rule.get("ports") or [], dst, protocol, port)
    word = "from" if side == "ingress" else "to"
    fields = {
        f"{word}Endpoints": lambda one: _endpoint(world, policy, one, peer, pod),
        f"{word}Entities": lambda one: _entity(world, one, peer, pod),
        f"{word}CIDR": lambda one: _block(world, {"cidr": one}, peer, pod),
        f"{word}CIDRSet": lambda one: _block(world, one, peer, pod),
    }
    named = [name for name in fields if name in rule]
    ports, messages = rule.get("toPorts") or [], rule.get("icmps") or []
    if not named and not ports and not messages:
        return False
    if not all(any(fields[name](one) for one in rule[name]) for name in named):
        return False
    if not ports and not messages:
        return True
    if protocol == "ICMP":
        return any(field["type"] == port for entry in messages for field in entry["fields"])
    return any(_port(one, dst, protocol, port) for entry in ports for one in entry.get("ports", []))


def _port(entry, dst, protocol, port):
    if entry.get("protocol", "ANY") not in ("ANY", protocol):
        return False
    if not entry["port"].isdecimal():
        declared = dst["ports"] if isinstance(dst, dict) else ()
        return (entry["port"].lower(), port, protocol) in [(n.lower(), p, q) for n, p, q in declared]
    first = int(entry["port"])
    return first == 0 or first <= port <= max(first, entry.get("endPort", 0))


def _kubernetes_peer(world, policy, one, peer, pod):
    if "ipBlock" in one:
        return _block(world, one["ipBlock"], peer, pod)
    if not isinstance(peer, dict):
        return False
    spaces = one.get("namespaceSelector")
    if spaces is None and peer["namespace"] != policy["metadata"]["namespace"]:
        return False
    if spaces is not None and not _plain(spaces, world["namespaces"][peer["namespace"]]):
        return False
    kept = {k: v for k, v in peer["labels"].items() if not LEFT_OUT.match(k)}
    return _plain(one.get("podSelector", {}), kept)


def _kubernetes_port(entries, dst, protocol, port):
    if not entries:
        return True
    for entry in entries:
        if entry.get("protocol", "TCP") != protocol:
            continue
        wanted = entry.get("port")
        named = isinstance(wanted, str) and isinstance(dst, dict) and (wanted, port, protocol) in dst["ports"]
        if wanted is None or named:
            return True
        if isinstance(wanted, int) and wanted <= port <= entry.get("endPort", wanted):
            return True
    return False


def _tier(world, tier, side, pod, peer, dst, protocol, port):
    """The word of the first rule that matches: by priority, then by the rule's number, then the denial."""
    found = []
    for policy in world["policies"]:
        if policy["kind"] != "ClusterNetworkPolicy" or policy["spec"]["tier"] != tier:
            continue
        if not _of_tier(world, policy["spec"]["subject"], pod):
            continue
        for number, rule in enumerate(policy["spec"].get(side, [])):
            near = any(
                _tier_peer(world, one, peer, pod) for one in rule["from" if side == "ingress" else "to"]
            )
            if near and _tier_port(rule, protocol, port):
                rank = ("Deny", "Pass", "Accept").index(rule["action"])
                found.append((policy["spec"]["priority"], number, rank, rule["action"]))
    return min(found)[3] if found else None


def _tier_peer(world, one, peer, pod):
    if "networks" in one:
        return any(_block(world, {"cidr": n}, peer, pod) for n in one["networks"])
    return isinstance(peer, dict) and _of_tier(world, one, peer)


def _of_tier(world, subject, pod):
    """Whether a subject of ClusterNetworkPolicy, or a peer of pods, means one."""
    pods = subject.get("pods") or {"namespaceSelector": subject.get("namespaces")}
    kept = {k: v for k, v in pod["labels"].items() if not LEFT_OUT.match(k)}
    spaces = world["namespaces"][pod["namespace"]]
    return _plain(pods["namespaceSelector"], spaces) and _plain(pods.get("podSelector", {}), kept)


def _tier_port(rule, protocol, port):
    entries = rule.get("protocols")
    if entries is None:
        return True
    return any(e.get(protocol.lower(), {}).get("destinationPort", {}).get("number") == port for e in entries)
