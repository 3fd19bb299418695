"""Fleets under Calico as a number makes them, with their questions: what tests of random ones draw from."""

import copy
import random
from dataclasses import replace
from functools import reduce

import naive_calico as naive

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.calico_selectors import Comparison, Either, Every, Not, parsed
from orchestrator.policy.objects.pod import NamedPort, Pod

V3 = "projectcalico.org/v3"
VALUES = {
    "app": ["api", "ui", "db"],
    "role": ["front", "back", ""],
    "env": ["prod", "test"],
    "team": ["red", "blue"],
}
OF_PODS, OF_SPACES, OF_ACCOUNTS = ["app", "role", "risk"], ["env", "team"], ["rank"]
ALL_VALUES = {**VALUES, "pcns.env": VALUES["env"], "risk": ["high", "low"], "rank": ["high", "low"]}
SPACES = ("ash", "birch", "cedar")
FOUR = {
    "outside": ("203.0.113.9", "198.51.100.20"),
    "nets": (
        "10.0.0.0/8",
        "10.1.0.0/24",
        "10.1.1.0/24",
        "203.0.113.0/24",
        "0.0.0.0/0",
        "10.1.0.1/32",
        "192.168.7.0/24",
    ),
    "block": {"cidr": "0.0.0.0/0", "except": ["10.1.1.0/24", "203.0.113.0/25"]},
    "node": "192.168.7.7",
    "pod": "10.1.{}.{}",
}
SIX = {
    "outside": ("2001:db8::9", "2001:db8:1::20"),
    "nets": (
        "fd00::/8",
        "fd00:0:1::/64",
        "2001:db8::/32",
        "2001:db8:1::/48",
        "::/0",
        "fd00::1/128",
        "fd00:7::/64",
    ),
    "block": {"cidr": "::/0", "except": ["fd00:0:1::/64", "2001:db8::/48"]},
    "node": "fd00:7::7",
    "pod": "fd00:0:{}::{}",
}
NUMBERS = (80, 443, 53)
LISTED = (80, "443", "50:100", "http", "dns")
ICMP = ((8, 0), (3, 4), (3, 1))
CLIENT = (500, 1500, 30_000)


class Made:
    """A fleet as one number makes it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        one_in = self.random.choice((2, 4, 1000))
        self.odd = lambda: self.random.randrange(one_in) == 0  # whether to use what is left open
        self.flat = self.random.randrange(4) == 0  # one order, and short rules: names decide
        self.six = self.random.randrange(5) == 0
        self.known = SIX if self.six else FOUR
        self.fleet = naive.Fleet(
            {s: {"env": self.pick(VALUES["env"]), "team": self.pick(VALUES["team"])} for s in SPACES},
            {(s, "bot"): {"rank": self.pick(ALL_VALUES["rank"])} for s in SPACES[:2]},
        )
        self.pods = [self.pod(n) for n in range(5)]
        self.sets = [self.network_set(kind) for kind in ("NetworkSet", "GlobalNetworkSet") if self.maybe(0.8)]
        self.slices = [self.slice(space) for space in SPACES[:2]]
        names = self.random.sample(["x", "y", "z"], self.random.randrange(3))
        self.fleet.tiers = [self.tier(name) for name in names]
        self.fleet.policies = [self.policy(n) for n in range(self.random.randrange(2, 7))]
        self.fleet.kubernetes = [self.kubernetes(n) for n in range(self.random.randrange(3))]
        if self.maybe(0.4):
            self.fleet.cluster = [self.of_cluster(n) for n in range(self.random.randrange(1, 4))]

    def pick(self, given):
        return self.random.choice(list(given))

    def maybe(self, part=0.5):
        return self.random.random() < part

    def some(self, **makers):
        """A few of the fields, in some order."""
        names = self.random.sample(list(makers), self.pick([0, 1, 1, 2]))
        return {name: makers[name]() for name in names}

    def pod(self, number):
        labels = {key: self.pick(VALUES[key]) for key in ("app", "role") if self.maybe(0.8)}
        ports = (NamedPort("http", self.pick(NUMBERS)), NamedPort("dns", 53, "UDP"))
        host = number == 4 and self.maybe()
        node = self.known["node"]
        ip = node if host else self.known["pod"].format(number % 2, number)
        account = self.pick(["default", "bot"])
        return Pod(self.pick(SPACES), f"p{number}", labels, ip, ports, node, host, account=account)

    def selector(self, keys, depth=2):
        said = self.expression(keys, depth)
        text = self.written(said)
        self.fleet.selectors[text] = said
        return text

    def expression(self, keys, depth):
        kind = self.random.randrange(10)
        if depth and kind < 4:
            parts = [self.expression(keys, depth - 1) for _ in range(2)]
            return ("not", parts[0]) if kind == 0 else (self.pick(["and", "or"]), *parts)
        key = self.pick(keys)
        value = self.pick(ALL_VALUES[key])
        word = self.pick(["==", "!=", "in", "not in", "has", "contains", "starts with", "ends with"])
        if word == "has":
            return word, key
        if word in ("in", "not in"):
            return word, key, [self.pick(ALL_VALUES[key]) for _ in range(self.random.randrange(3))]
        return word, key, value[: self.random.randrange(len(value) + 1)] if word.endswith("with") else value

    def written(self, said, around=0):
        """As text, with parentheses where they are needed, and some where they are not."""
        kind, *rest = said
        if kind == "not":
            return "!" + self.written(rest[0], 3)
        if kind in ("and", "or"):
            strength = 2 if kind == "and" else 1
            sign = " && " if kind == "and" else "||"
            text = sign.join(self.written(part, strength) for part in rest)
            return f"({text})" if strength < around or self.maybe(0.2) else text
        if kind == "has":
            return f"has({rest[0]})"
        quote = self.pick("'\"")
        if kind in ("in", "not in"):
            return f"{rest[0]} {kind} {{{', '.join(f'{quote}{v}{quote}' for v in rest[1])}}}"
        return f"{rest[0]} {kind} {quote}{rest[1]}{quote}"

    def network_set(self, kind):
        space = self.pick(SPACES) if kind == "NetworkSet" else None
        labels, nets = {"risk": self.pick(ALL_VALUES["risk"])}, self.random.sample(self.known["nets"], 2)
        self.fleet.nets.append((space, labels, nets))
        meta = {"name": f"s-{kind.lower()}", "labels": labels, **({"namespace": space} if space else {})}
        return {"apiVersion": V3, "kind": kind, "metadata": meta, "spec": {"nets": nets}}

    def slice(self, space):
        addresses = [self.pick(self.pods).ip, self.pick(self.known["outside"])]
        port = self.pick(NUMBERS)
        self.fleet.slices[(space, "store")] = {address: {("TCP", port)} for address in addresses}
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "a", "namespace": space, "labels": {"kubernetes.io/service-name": "store"}},
            "ports": [{"port": port}],
            "endpoints": [{"addresses": [address]} for address in addresses],
        }

    def tier(self, name):
        spec = self.some(
            order=lambda: self.pick([1, 1, 2_000_000]), defaultAction=lambda: self.pick(["Pass", "Deny"])
        )
        return {"apiVersion": V3, "kind": "Tier", "metadata": {"name": name}, "spec": spec}

    def accounts(self):
        return self.some(names=lambda: ["bot"], selector=lambda: self.selector(OF_ACCOUNTS)) or {
            "names": ["default"]
        }

    def spaces(self):
        if self.maybe(0.2):
            return self.pick(["all()", "global()"])
        return self.selector(OF_SPACES)

    def entity(self, own, ports):
        if ports is not None and self.maybe(0.15) and not ports:
            space = None if own and self.odd() else self.pick(SPACES)
            return {"services": {"name": "store", **({"namespace": space} if space else {})}}
        found = self.some(
            nets=lambda: self.random.sample(self.known["nets"], 1),
            notNets=lambda: self.random.sample(self.known["nets"], 1),
            selector=lambda: self.selector([*OF_PODS, "pcns.env"] if self.maybe(0.2) else OF_PODS),
            namespaceSelector=self.spaces,
            serviceAccounts=self.accounts,
        )
        if self.odd():
            found["notSelector"] = self.selector(OF_PODS)
        for name in ports or ():
            found[name] = self.random.sample(LISTED, 2)
        return found

    def rule(self, own, side):
        if self.flat:
            peer = self.some(selector=lambda: self.selector(OF_PODS, 0), namespaceSelector=self.spaces)
            return {"action": self.pick(["Allow", "Deny"]), "source": peer if side == "ingress" else {}}
        rule = {"action": self.pick(["Allow", "Allow", "Deny", "Pass", "Log"])}
        protocol = self.pick([None, "TCP", "TCP", "UDP", 6, "ICMP", "SCTP"])
        protocol = "ICMPv6" if protocol == "ICMP" and self.six else protocol
        if protocol:
            rule["protocol"] = protocol
        with_ports = protocol in ("TCP", "UDP", 6, "SCTP")
        ports = [name for name in ("ports", "notPorts") if with_ports and self.maybe(0.3)]
        here, other = ("source", "destination") if side == "ingress" else ("destination", "source")
        rule[here] = self.entity(own, ports if here == "destination" else [])
        rule[other] = self.entity(own, None) if self.maybe(0.2) else {}
        if other == "destination" and ports:
            rule["destination"].update({name: self.random.sample(LISTED, 2) for name in ports})
        if str(protocol).startswith("ICMP") and self.maybe():
            kind, code = self.pick(ICMP)
            rule[self.pick(["icmp", "notICMP"])] = self.pick([{"type": kind}, {"type": kind, "code": code}])
        if self.maybe(0.1):
            ours = 6 if self.six else 4
            fixed = str(protocol).startswith("ICMP") or any(
                end.get(name) for end in (rule[here], rule[other]) for name in ("nets", "notNets")
            )
            rule["ipVersion"] = ours if fixed else self.pick([4, 6])
        if self.maybe(0.1):
            rule["notProtocol"] = self.pick(["UDP", 17, "SCTP"])
        if side == "ingress" and rule["action"] == "Allow" and protocol in (None, "TCP") and self.odd():
            rule["http"] = {"methods": ["GET"]}
        if with_ports and "services" not in rule["source"] and self.odd():
            rule["source"]["ports"] = [self.pick(["1:999", "1000:1999", "1000:65535"])]
        return rule

    def policy(self, number, own=None):
        """Of a namespace, of none where that is empty, or of whichever."""
        own = own if own is not None else self.pick(SPACES) if self.maybe() else None
        kind = "NetworkPolicy" if own else "GlobalNetworkPolicy"
        tier = self.pick(["default", None, *(t["metadata"]["name"] for t in self.fleet.tiers)])
        name = self.pick(["a", "a-b", "b", "c"]) + (str(number) if self.maybe(0.7) else "")
        name = f"{tier}.{name}" if tier else name
        meta = {"name": name, **({"namespace": own} if own else {})}
        spec = self.some(
            selector=lambda: self.selector(OF_PODS, 1),
            serviceAccountSelector=lambda: self.selector(OF_ACCOUNTS, 1),
            types=lambda: self.random.sample(["Ingress", "Egress"], self.random.randrange(1, 3)),
            performanceHints=lambda: ["AssumeNeededOnEveryNode"],
        )
        if not own and self.maybe(0.3):
            spec["namespaceSelector"] = self.selector(OF_SPACES, 1)
        if self.flat:
            spec = {"order": 1000}
        elif self.maybe(0.8):
            spec["order"] = self.pick([5, 5, 5, 1000, 1000, 1500.5])
        if tier:
            spec["tier"] = tier
        for side in ("ingress", "egress"):
            if self.maybe(0.7):
                spec[side] = [self.rule(own, side) for _ in range(self.random.randrange(1, 5))]
        if self.maybe(0.1):
            kind = f"Staged{kind}"
        elif not own and self.maybe(0.05):
            spec["doNotTrack"] = spec["applyOnForward"] = True
        return {"apiVersion": V3, "kind": kind, "metadata": meta, "spec": spec}

    def expressions(self, key):
        operator = self.pick(["In", "NotIn", "Exists", "DoesNotExist"])
        values = {"values": [self.pick(VALUES[key])]} if operator.endswith("In") else {}
        return {"matchExpressions": [{"key": key, "operator": operator, **values}]}

    def labelled(self, key):
        """A selector of Kubernetes."""
        if self.maybe(0.2):
            return {}
        return {"matchLabels": {key: self.pick(VALUES[key])}} if self.maybe() else self.expressions(key)

    def kubernetes(self, number):
        peers = [
            {"podSelector": self.labelled("app")},
            {"namespaceSelector": self.labelled("env"), "podSelector": self.labelled("role")},
            {"ipBlock": {"cidr": self.pick(self.known["nets"])}},
            {"ipBlock": self.known["block"]},
        ]

        def rules(word):
            ports = [
                {"protocol": self.pick(["TCP", "UDP"]), "port": self.pick([*NUMBERS, "http", "dns"])},
                self.pick([{}, {"protocol": "UDP"}, {"port": 53, "endPort": 100}]),
            ]
            return [
                self.some(
                    **{
                        word: lambda: self.random.sample(peers, 2),
                        "ports": lambda: self.random.sample(ports, 1),
                    }
                )
            ]

        types = self.random.sample(["Ingress", "Egress"], self.random.randrange(1, 3))
        spec = {"podSelector": self.labelled("app"), "policyTypes": types}
        spec |= {"ingress": rules("from")} if "Ingress" in types else {}
        spec |= {"egress": rules("to")} if "Egress" in types else {}
        meta = {"name": self.pick(["a", "b", f"n{number}"]), "namespace": self.pick(SPACES)}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}

    def of_cluster(self, number):
        """A ClusterNetworkPolicy; each has a priority of its own."""

        def rule(word):
            peers = [
                {"namespaces": self.labelled("env")},
                {"pods": {"namespaceSelector": self.labelled("team"), "podSelector": self.labelled("app")}},
                *([{"networks": [self.pick(self.known["nets"])]}] if word == "to" else []),
            ]
            protocols = [
                {"tcp": {"destinationPort": {"number": self.pick(NUMBERS)}}},
                {"udp": {"destinationPort": {"range": {"start": 50, "end": 100}}}},
                {"destinationNamedPort": "http"},
            ]
            action = self.pick(["Accept", "Deny", "Pass"])
            ports = {"protocols": self.random.sample(protocols, 1)} if self.maybe() else {}
            return {"action": action, word: self.random.sample(peers, self.pick([1, 2])), **ports}

        subject = self.pick(
            [
                {"namespaces": self.labelled("env")},
                {"pods": {"namespaceSelector": {}, "podSelector": self.labelled("role")}},
            ]
        )
        spec = {"tier": self.pick(["Admin", "Baseline"]), "priority": number, "subject": subject}
        for side, word in (("ingress", "from"), ("egress", "to")):
            spec[side] = [rule(word) for _ in range(self.random.randrange(3))]
        return {
            "apiVersion": "policy.networking.k8s.io/v1alpha2",
            "kind": "ClusterNetworkPolicy",
            "metadata": {"name": f"wide{number}"},
            "spec": spec,
        }

    def changed(self, old):
        """What a policy becomes: nothing, itself under another name, or another one of its kind, place and tier."""
        if self.maybe(0.2):
            return []
        if old["kind"] == "ClusterNetworkPolicy":
            spec = self.of_cluster(old["spec"]["priority"])["spec"]
        elif old["apiVersion"].startswith("networking"):
            spec = self.kubernetes(0)["spec"]
        else:
            own, tier = old["metadata"].get("namespace"), old["spec"].get("tier")
            spec = {k: v for k, v in self.policy(0, own or "")["spec"].items() if k != "tier"}
            spec |= {"tier": tier} if tier else {}
            spec = {k: v for k, v in spec.items() if k not in ("doNotTrack", "applyOnForward")}
        return [{**old, "spec": spec}]

    def ports(self):
        """Of connections, with their protocols."""
        icmp = "ICMPv6" if self.six else "ICMP"
        return [("TCP", 80), ("TCP", 443), ("UDP", 53), ("SCTP", 80), (icmp, ICMP[0])]

    def with_policies(self, policies):
        """The fleet with others in place of its policies, whatever their selectors are."""
        found = {"policies": [], "kubernetes": [], "cluster": []}
        for policy in policies:
            group = policy["apiVersion"].partition("/")[0]
            kind = {"networking.k8s.io": "kubernetes", "policy.networking.k8s.io": "cluster"}
            found[kind.get(group, "policies")].append(policy)
        selectors = dict(self.fleet.selectors)
        for policy in found["policies"]:
            text = policy["spec"].get("selector", "")
            if text not in selectors:
                selectors[text] = _tree(parsed(text))
        return replace(self.fleet, **found, selectors=selectors)

    def network(self):
        accounts = [
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"namespace": s, "name": n, "labels": labels},
            }
            for (s, n), labels in self.fleet.accounts.items()
        ]
        further = [*accounts, *self.slices, *self.objects()]
        self.random.shuffle(further)
        return Network(self.fleet.namespaces, self.fleet.kubernetes, self.fleet.cluster, further=further)

    def objects(self):
        """Those of Calico."""
        return [*self.sets, *self.fleet.tiers, *self.fleet.policies]

    def questions(self):
        ends = [*self.pods, *self.known["outside"]]
        pairs = [
            (src, dst) for src in ends for dst in ends if not isinstance(src, str) or not isinstance(dst, str)
        ]
        for src, dst in self.random.sample(pairs, 14):
            yield (
                src,
                dst,
                *self.pick(
                    [
                        ("TCP", self.pick(NUMBERS)),
                        ("UDP", 53),
                        ("SCTP", 80),
                        ("ICMPv6" if self.six else "ICMP", self.pick(ICMP)),
                    ]
                ),
            )

    def after(self):
        """The same fleet after a change: fewer policies, some new ones, sets and labels that say something else."""
        found = copy.copy(self)
        kept = [p for p in self.fleet.policies if self.maybe(0.7)]
        kubernetes = [p for p in self.fleet.kubernetes if self.maybe(0.7)]
        found.fleet = replace(
            self.fleet,
            policies=kept,
            kubernetes=kubernetes,
            nets=[*self.fleet.nets],
            slices=self.fleet.slices,
        )
        found.fleet.cluster = [p for p in self.fleet.cluster if self.maybe(0.7)]
        found.sets, found.pods = [*self.sets], [*self.pods]
        if found.maybe():
            found.fleet.policies = [*kept, found.policy(20), found.policy(21)]
        if found.maybe(0.3):
            found.fleet.nets = []
            found.sets = [found.network_set("NetworkSet")]
        if found.maybe(0.3):
            found.fleet.namespaces = {**self.fleet.namespaces, "birch": {"env": "test", "team": "blue"}}
        if found.maybe(0.3):
            changed = {key: found.pick(VALUES[key]) for key in ("app", "role")}
            found.pods = [replace(found.pods[0], labels=changed), *found.pods[2:]]
        return found

    def twice(self):
        """Whether two policies have one name, with its tier's or without, which no cluster up to Calico 3.31 can hold."""
        named = [
            (p["kind"], p["metadata"].get("namespace"), p["metadata"]["name"].removeprefix("default."))
            for p in self.fleet.policies
        ]
        named += [("", p["metadata"]["namespace"], p["metadata"]["name"]) for p in self.fleet.kubernetes]
        return len(set(named)) < len(named)


def _tree(said):
    """An expression of the product's as tuples."""
    if isinstance(said, Comparison):
        values = sorted(said.values)
        return said.operator, said.key, *([values] if said.operator in ("in", "not in") else values)
    if isinstance(said, Not):
        return "not", _tree(said.other)
    if isinstance(said, Every | Either):
        word = "and" if isinstance(said, Every) else "or"
        one, *others = map(_tree, said.parts)
        return reduce(lambda left, right: (word, left, right), others, one)
    return ("all",)
