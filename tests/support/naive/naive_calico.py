"""Calico's policies by the letter of their text, one connection and one version of Calico at a time, as slowly as it reads.

It shares no line with what it judges. A selector is a tuple here, such as `("==", "app", "web")`: see `holds`.
"""

import ipaddress
from dataclasses import dataclass, field
from functools import cache
from itertools import product

import naive_kubernetes

COVERING = naive_kubernetes.Chosen(blocks_cover_pods=True)
OF_CLUSTER = {"kube-admin": "Admin", "kube-baseline": "Baseline"}
PRIMES = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1, "ICMPv6": 58}


@dataclass
class World:
    """One way to answer everything that the text, or the versions of Calico, leave open."""

    old_names: bool
    not_selector_own: bool
    sets_without_labels: bool
    own_services: bool
    http: bool
    client_port: int


@dataclass
class Connection:
    """Ends are pods, or addresses; a message of ICMP has a type and a code for its port."""

    src: object
    dst: object
    protocol: str
    port: object


@dataclass
class Fleet:
    """Plain dictionaries as in manifests, but that `selectors` has those of the policies by their text."""

    namespaces: dict
    accounts: dict
    nets: list = field(default_factory=list)  # of sets: namespace or None, labels, networks
    slices: dict = field(
        default_factory=dict
    )  # of Services by namespace and name: addresses with protocol and port
    tiers: list = field(default_factory=list)
    policies: list = field(default_factory=list)
    kubernetes: list = field(default_factory=list)
    cluster: list = field(
        default_factory=list
    )  # policies of Kubernetes for the whole cluster, no two of one priority
    selectors: dict = field(default_factory=dict)


number = cache(ipaddress.ip_address)


@cache
def network(text):
    return ipaddress.ip_network(text, strict=False)


def holds(said, labels):
    kind, *rest = said
    if kind == "all":
        return True
    if kind == "not":
        return not holds(rest[0], labels)
    if kind == "and":
        return holds(rest[0], labels) and holds(rest[1], labels)
    if kind == "or":
        return holds(rest[0], labels) or holds(rest[1], labels)
    key, *rest = rest
    if kind == "has":
        return key in labels
    if kind == "!=":
        return key not in labels or labels[key] != rest[0]
    if kind == "not in":
        return key not in labels or labels[key] not in rest[0]
    if key not in labels:
        return False
    value = labels[key]
    return {
        "==": lambda: value == rest[0],
        "in": lambda: value in rest[0],
        "contains": lambda: rest[0] in value,
        "starts with": lambda: value[: len(rest[0])] == rest[0],
        "ends with": lambda: rest[0] == "" or value[-len(rest[0]) :] == rest[0],
    }[kind]()


def covers(nets, address):
    return any(number(address) in network(net) for net in nets)


def is_workload(end):
    return not isinstance(end, str) and not end.host_network


def address_of(end):
    if not isinstance(end, str):
        end = end.node_ip if end.host_network else end.ip
    return written(end)


@cache
def written(address):
    """In the one way in which two can be compared."""
    return str(ipaddress.ip_address(address))


class Asked:
    """One question in one world."""

    def __init__(self, fleet, world):
        self.fleet, self.world = fleet, world

    def says(self, text, labels):
        return not text or holds(self.fleet.selectors[text], labels)

    def space_labels(self, name):
        return {**self.fleet.namespaces[name], "projectcalico.org/name": name}

    def account_labels(self, pod):
        return {
            **self.fleet.accounts.get((pod.namespace, pod.account), {}),
            "projectcalico.org/name": pod.account,
        }

    def pod_labels(self, pod):
        found = {f"pcns.{k}": v for k, v in self.space_labels(pod.namespace).items()}
        found.update({f"pcsa.{k}": v for k, v in self.account_labels(pod).items()})
        found.update(pod.labels)
        found["projectcalico.org/namespace"] = pod.namespace
        found["projectcalico.org/serviceaccount"] = pod.account
        found["projectcalico.org/orchestrator"] = "k8s"
        return found

    def things_at(self, end):
        """What has labels at an end: namespace or None, labels, those of the namespace, account, those of the account."""
        if is_workload(end):
            spaces = self.space_labels(end.namespace)
            yield end.namespace, self.pod_labels(end), spaces, end.account, self.account_labels(end)
        for space, labels, nets in self.fleet.nets:
            if covers(nets, address_of(end)):
                seen = dict(labels)
                if space:
                    seen = {f"pcns.{k}": v for k, v in self.space_labels(space).items()} | seen
                    seen["projectcalico.org/namespace"] = space
                yield space, seen, self.space_labels(space) if space else {}, None, {}

    def entity_means(self, entity, own, end):
        if entity.get("nets") and not covers(entity["nets"], address_of(end)):
            return False
        if entity.get("notNets") and covers(entity["notNets"], address_of(end)):
            return False
        things = list(self.things_at(end))
        if entity.get("notSelector") and any(
            self.says(entity["notSelector"], labels) for _, labels, *_ in things
        ):
            return False
        if entity.get("services") and address_of(end) not in self.service(entity, own):
            return False
        accounts = entity.get("serviceAccounts") or {}
        positive = entity.get("selector") or entity.get("namespaceSelector") or accounts
        if not positive and not (own and entity.get("notSelector") and self.world.not_selector_own):
            return True
        return any(self.thing_meant(entity, accounts, own, thing) for thing in things)

    def thing_meant(self, entity, accounts, own, thing):
        space, labels, of_space, account, of_account = thing
        spaces = entity.get("namespaceSelector")
        if spaces == "global()":
            if space:
                return False
        elif spaces == "all()":
            if not space:
                return False
        elif spaces:
            if not space and not self.world.sets_without_labels:
                return False
            if not self.says(spaces, of_space):
                return False
        elif own and space != own:
            return False
        if accounts.get("names") and account not in accounts["names"]:
            return False
        return self.says(accounts.get("selector"), of_account) and self.says(entity.get("selector"), labels)

    def service(self, entity, own):
        """Addresses with their ports."""
        named = entity["services"]
        space = named.get("namespace") or (own if self.world.own_services else None)
        found = self.fleet.slices.get((space, named["name"]), {})
        return {written(address): ports for address, ports in found.items()}

    def port_listed(self, entries, protocol, port, pod):
        for entry in entries:
            if isinstance(entry, int) or entry.isdigit():
                if port == int(entry):
                    return True
            elif ":" in entry:
                low, high = entry.split(":")
                if int(low) <= port <= int(high):
                    return True
            elif is_workload(pod) and (entry, port, protocol) in [
                (p.name, p.port, p.protocol) for p in pod.ports
            ]:
                return True
        return False

    def rule_matches(self, rule, own, asked):
        family = 6 if ":" in address_of(asked.src) else 4
        if rule.get("ipVersion", family) != family:
            return False
        if rule.get("http") and not self.world.http:
            return False
        number = PRIMES[asked.protocol]
        if "protocol" in rule and number not in (rule["protocol"], PRIMES.get(rule["protocol"])):
            return False
        if "notProtocol" in rule and number in (rule["notProtocol"], PRIMES.get(rule["notProtocol"])):
            return False
        for name, wanted in (("icmp", True), ("notICMP", False)):
            match = rule.get(name) or {}
            if "type" in match:
                hit = asked.protocol.startswith("ICMP") and match["type"] == asked.port[0]
                hit = hit and ("code" not in match or match["code"] == asked.port[1])
                if hit is not wanted:
                    return False
        source, destination = rule.get("source") or {}, rule.get("destination") or {}
        if not self.entity_means(source, own, asked.src) or not self.entity_means(
            destination, own, asked.dst
        ):
            return False
        if destination.get("services"):
            ports = self.service(destination, own)[address_of(asked.dst)]
            if (asked.protocol, asked.port) not in ports:
                return False
        for entity, port, end in (
            (source, self.world.client_port, asked.src),
            (destination, asked.port, asked.dst),
        ):
            if entity.get("ports") and not self.port_listed(entity["ports"], asked.protocol, port, end):
                return False
            if entity.get("notPorts") and self.port_listed(entity["notPorts"], asked.protocol, port, end):
                return False
        return True

    def in_tier(self, tier, side, end):
        """The policies of a tier that select a pod for a direction, in order."""
        found = []
        for policy in self.fleet.policies:
            meta, spec = policy["metadata"], policy["spec"]
            own = meta.get("namespace")
            if policy["kind"].startswith("Staged") or spec.get("doNotTrack") or spec.get("preDNAT"):
                continue
            if (spec.get("tier") or "default") != tier or (own and own != end.namespace):
                continue
            if not self.says(spec.get("selector"), self.pod_labels(end)):
                continue
            if not self.says(spec.get("namespaceSelector"), self.space_labels(end.namespace)):
                continue
            if not self.says(spec.get("serviceAccountSelector"), self.account_labels(end)):
                continue
            types = spec.get("types")
            if not types:
                types = [t for t in ("Ingress", "Egress") if spec.get(t.lower())] or ["Ingress"]
            if side in types:
                order = spec.get("order", float("inf"))
                found.append((order, self.name(meta["name"], own, tier, policy["kind"]), policy))
        for policy in self.fleet.kubernetes if tier == "default" else ():
            meta, spec = policy["metadata"], policy["spec"]
            mine = meta["namespace"] == end.namespace and naive_kubernetes.selects(
                spec["podSelector"], end.labels
            )
            if mine and side in spec["policyTypes"]:
                found.append((1000, self.name(meta["name"], meta["namespace"], tier, None), policy))
        return [policy for _, _, policy in sorted(found, key=lambda entry: entry[:2])]

    def name(self, name, space, tier, kind):
        """By which policies of one order are compared; `kind` is None of Kubernetes' own."""
        if not self.world.old_names:
            return f"{name}/{space or ''}/{kind or 'KubernetesNetworkPolicy'}"
        full = (
            f"knp.default.{name}"
            if kind is None
            else name
            if name.startswith(tier + ".")
            else f"{tier}.{name}"
        )
        return f"{space}/{full}" if space else full

    def action(self, policy, side, asked):
        """What a policy says of a connection, if anything."""
        own = policy["metadata"].get("namespace")
        if policy["apiVersion"].startswith("networking"):
            return "Allow" if self.kubernetes_matches(policy, side, asked) else None
        for rule in policy["spec"].get(side.lower()) or ():
            if rule["action"] != "Log" and self.rule_matches(rule, own, asked):
                return rule["action"]
        return None

    def of_kubernetes(self):
        return naive_kubernetes.World(self.fleet.namespaces, self.fleet.cluster, None)

    def seen(self, asked):
        """Both ends as policies of Kubernetes see them here: what is no workload is an address."""
        return [end if is_workload(end) else address_of(end) for end in (asked.src, asked.dst)]

    def kubernetes_matches(self, policy, side, asked):
        src, dst = self.seen(asked)
        return naive_kubernetes.allows(
            self.of_kubernetes(),
            COVERING,
            policy,
            side.lower(),
            src if side == "Ingress" else dst,
            dst,
            asked.protocol,
            asked.port,
        )

    def cluster_says(self, tier, side, asked):
        """What the cluster-wide policies of one of their tiers say, if anything."""
        src, dst = self.seen(asked)
        ends = (dst, src) if side == "Ingress" else (src, dst)
        said = naive_kubernetes.of_tier(
            self.of_kubernetes(), COVERING, tier, side.lower(), *ends, dst, asked.protocol, asked.port
        )
        return {"Accept": "Allow", "Deny": "Deny", "Pass": "Pass", None: None}[next(iter(said))]

    def end_allows(self, side, end, asked):
        tiers = {"default": (1_000_000, "Deny")}
        for tier in self.fleet.tiers:
            spec = tier["spec"]
            tiers[tier["metadata"]["name"]] = (
                spec.get("order", float("inf")),
                spec.get("defaultAction", "Deny"),
            )
        if self.fleet.cluster:
            tiers.update(zip(OF_CLUSTER, ((1000, "Pass"), (10_000_000, "Pass")), strict=True))
        for _, name in sorted((order, name) for name, (order, _) in tiers.items()):
            if name in OF_CLUSTER:
                said = self.cluster_says(OF_CLUSTER[name], side, asked)
                if said in ("Allow", "Deny"):
                    return said == "Allow"
                continue
            policies = self.in_tier(name, side, end)
            said = next((a for p in policies if (a := self.action(p, side, asked))), None)
            if policies and said is None:
                said = tiers[name][1]
            if said in ("Allow", "Deny"):
                return said == "Allow"
        return True

    def allows(self, asked):
        for side, end in (("Egress", asked.src), ("Ingress", asked.dst)):
            if is_workload(end) and not self.end_allows(side, end, asked):
                return False
        return True


def passes(fleet, world, src, dst, protocol, port):
    """Whether a connection passes in one world."""
    if src is dst or (isinstance(src, str) and not isinstance(dst, str) and src == dst.node_ip):
        return True
    return Asked(fleet, world).allows(Connection(src, dst, protocol, port))


def answer(fleet, src, dst, protocol, port, client_ports):
    """Allowed or not, or None where that is open. `client_ports` are those that can make a difference."""
    both = (False, True)
    worlds = (World(*chosen) for chosen in product(both, both, both, both, both, client_ports))
    first, *others = (passes(fleet, world, src, dst, protocol, port) for world in worlds)
    return first if all(other == first for other in others) else None
