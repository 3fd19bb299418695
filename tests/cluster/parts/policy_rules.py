"""What the test agent makes of policies: rules of nftables, from manifests alone.

Written from the documentation of the NetworkPolicy API and of AdminNetworkPolicy v1alpha1, and apart from
orchestrator/policy, which it may not import: packets that contradict the project's evaluator are to be seen. It stands for
no semantics of its own; IPv4 only. Of AdminNetworkPolicies it knows no named ports, nodes and networks: a KeyError.
"""

import itertools

TABLE = "netpol_canary_test"
PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}


class Pod:
    """An address and what policies see of it."""

    def __init__(self, manifest):
        self.namespace = manifest["metadata"]["namespace"]
        self.labels = manifest["metadata"].get("labels") or {}
        self.address = manifest.get("status", {}).get("podIP", "")
        self.ports = {}
        for container in manifest["spec"]["containers"]:
            for port in container.get("ports") or ():
                key = port.get("name"), port.get("protocol", "TCP")
                self.ports.setdefault(key, port["containerPort"])

    @property
    def chain(self):
        return self.address.replace(".", "_")


def live(manifests):
    """The pods with an IPv4 address of their own and a process that may answer on it."""
    pods = [
        Pod(m)
        for m in manifests
        if not m["spec"].get("hostNetwork")
        and m.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    ]
    return [pod for _, pod in sorted({p.address: p for p in pods if p.address.count(".") == 3}.items())]


def selects(selector, labels):
    """Whether a LabelSelector holds for labels; an empty one holds for all."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or ())


def _holds(expression, labels):
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"operator {expression['operator']}")


class Rules:
    """The table for one state of a cluster: `namespaces` as labels by name, pods, NetworkPolicies, AdminNetworkPolicies."""

    def __init__(self, namespaces, pods, policies, admin=()):
        self.namespaces, self.pods, self.policies = namespaces, pods, policies
        self.admin = sorted((p["spec"] for p in admin), key=lambda spec: spec["priority"])

    def text(self, reject=False, cut=False):
        """Input for `nft -f`, replacing the table in one step.

        Denied packets are dropped, or rejected: a reset for TCP, an ICMP error for the rest. Connections that
        were let in stay open when a policy forbids them; with `cut` they are held to today's policies.
        """
        kept = "ct direction reply accept" if cut else "ct state established,related accept"
        denied = "meta l4proto tcp reject with tcp reset; reject" if reject else "drop"
        out, into = self._held("Egress"), self._held("Ingress")
        ways = {"saddr": ("out", out), "daddr": ("in", into)}
        jumps = {
            side: f"ip {side} vmap {{ {', '.join(f'{p.address} : jump {way}_{p.chain}' for p in pods)} }}"
            for side, (way, pods) in ways.items()
            if pods
        }
        lines = [
            f"table inet {TABLE} {{}}",
            f"delete table inet {TABLE}",
            f"table inet {TABLE} {{",
            f"chain denied {{ {denied}; }}",
            *self._chains("out", out, "Egress"),
            *self._chains("in", into, "Ingress"),
            f"chain forward {{ type filter hook forward priority filter; policy accept; {kept};",
            'iifname "uplink" accept;',  # the machine that tests run on is to pods what their node is
            *(f"{jumps[side]};" for side in ("saddr", "daddr") if side in jumps),
            "}",
            f"chain input {{ type filter hook input priority filter; policy accept; {kept};",
            *([f"{jumps['saddr']};"] if out else []),
            "}",
            "}",
        ]
        return "\n".join(lines) + "\n"

    def _held(self, direction):
        return [p for p in self.pods if self._of(p, direction) or self._above(p, direction)]

    def _above(self, pod, direction):
        """The rules of AdminNetworkPolicies for a pod in a direction, the first one first."""
        return [
            rule
            for spec in self.admin
            if self._is(pod, _plain_peer(spec["subject"]))
            for rule in spec.get(direction.lower()) or ()
        ]

    def _of(self, pod, direction):
        """The NetworkPolicies that select a pod in a direction."""
        return [
            p["spec"]
            for p in self.policies
            if p["metadata"]["namespace"] == pod.namespace
            and direction in _types(p["spec"])
            and selects(p["spec"].get("podSelector") or {}, pod.labels)
        ]

    def _chains(self, way, pods, direction):
        for pod in pods:
            policies, own = self._of(pod, direction), f"own_{way}_{pod.chain}"
            matches = itertools.chain.from_iterable(
                self._matches(pod, rule, direction)
                for spec in policies
                for rule in spec.get(direction.lower()) or ()
            )
            allowed = "".join(f"{match} return; " for match in dict.fromkeys(matches))
            yield f"chain {own} {{ {allowed}{'goto denied; ' if policies else ''}}}"
            then = {"Allow": "return", "Deny": "goto denied", "Pass": f"goto {own}"}
            above = "".join(
                f"{match} {then[rule['action']]}; "
                for rule in self._above(pod, direction)
                for match in self._matches(pod, _plain(rule), direction)
            )
            yield f"chain {way}_{pod.chain} {{ {above}goto {own}; }}"

    def _matches(self, pod, rule, direction):
        """What a rule lets through, as matches of nftables."""
        side, other = ("daddr", rule.get("to")) if direction == "Egress" else ("saddr", rule.get("from"))
        addresses = [""] if not other else []
        peers = list(self.pods) if not other else []
        for peer in other or ():
            if "ipBlock" in peer:
                addresses.append(_block(side, peer["ipBlock"]))
            else:
                peers += [each for each in self.pods if self._is(each, peer, pod.namespace)]
        if other and peers:
            addresses.append(f"ip {side} {{ {', '.join(sorted({p.address for p in peers}))} }}")
        for port in rule.get("ports") or [None]:
            if port and isinstance(port.get("port"), str):
                yield from _named(port, addresses, pod, peers, direction)
            else:
                yield from (f"{address} {_number(port)}".strip() for address in addresses)

    def _is(self, pod, peer, namespace=""):
        """Whether a peer means a pod; `namespace` is that of who says so."""
        spaces, inside = peer.get("namespaceSelector"), peer.get("podSelector")
        if spaces is None:
            near = pod.namespace == namespace
        else:
            near = selects(spaces, self.namespaces.get(pod.namespace, {}))
        return near and (inside is None or selects(inside, pod.labels))


def _plain(rule):
    """A rule of an AdminNetworkPolicy in the words of a NetworkPolicy: the same connections."""
    sides = {side: [_plain_peer(peer) for peer in rule[side]] for side in ("from", "to") if side in rule}
    return {**sides, "ports": [_plain_port(port) for port in rule.get("ports") or ()]}


def _plain_peer(peer):
    return peer["pods"] if "pods" in peer else {"namespaceSelector": peer["namespaces"]}


def _plain_port(port):
    if "portRange" not in port:
        return port["portNumber"]
    between = port["portRange"]
    return {"protocol": between["protocol"], "port": between["start"], "endPort": between["end"]}


def _types(spec):
    """The policy's directions, as the API server fills them in where they are missing."""
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _block(side, block):
    if ":" in block["cidr"]:
        return "meta nfproto ipv6"
    spared = "".join(f" ip {side} != {each}" for each in block.get("except") or ())
    return f"ip {side} {block['cidr']}{spared}"


def _number(port):
    """The match for a numbered port, a range, a protocol alone, or nothing."""
    if port is None:
        return ""
    protocol = PROTOCOLS[port.get("protocol", "TCP")]
    if port.get("port") is None:
        return f"meta l4proto {protocol}"
    last = f"-{port['endPort']}" if port.get("endPort") else ""
    return f"{protocol} dport {port['port']}{last}"


def _named(port, addresses, pod, peers, direction):
    """A named port: its number is that of the pod that listens."""
    key = port["port"], port.get("protocol", "TCP")
    if direction == "Ingress":
        if key in pod.ports:
            yield from (f"{a} {PROTOCOLS[key[1]]} dport {pod.ports[key]}".strip() for a in addresses)
        return
    for peer in peers:
        if key in peer.ports:
            yield f"ip daddr {peer.address} {PROTOCOLS[key[1]]} dport {peer.ports[key]}"
