"""A whole fleet beside a naive evaluator: what `reach` and `changes` have to say, found one connection and one port at a time."""

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise, product

from orchestrator.policy.files.doubles import title
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.connections import Range, ranges
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.citing import policy_of
from orchestrator.policy.workloads.fleet import Fleet, fleet


@dataclass(frozen=True)
class Told:
    """`allowed` is the naive evaluator, asked with both ends, a protocol and a port.

    An end is `namespace/name` or an address outside. `asked` are the ports, `addresses` those outside that rules may tell apart;
    `settled` is the CNI's profile.
    """

    fleet: Fleet
    allowed: Callable[[str, str, str, int], bool]
    asked: list[tuple[str, int]]
    addresses: list[str]
    settled: dict[str, bool] = field(default_factory=dict)

    @property
    def pods(self):
        return {f"{w.pod.namespace}/{w.pod.name}": w.pod for w in self.fleet.workloads}

    @property
    def names(self):
        return [*self.pods]

    def pairs(self):
        """Those that `reach` lists: two workloads, pods of one that has several, or one and the outside."""
        families = {
            span.first.version for span in ranges(self.fleet)
        }  # of IPv6 only where a rule speaks of it
        outside = [a for a in self.addresses if ipaddress.ip_address(a).version in families]
        ends = [*self.names, *outside]
        inside = set(self.names)
        many = {f"{w.pod.namespace}/{w.pod.name}" for w in self.fleet.workloads if w.pod.many}
        return [(a, b) for a, b in product(ends, repeat=2) if inside & {a, b} and (a != b or a in many)]

    def ports(self, src, dst):
        """Those of the asked ones that the naive evaluator allows, as a set of the product's; none of an end that is not there."""
        found = port_sets.NONE
        if not {end for end in (src, dst) if "/" in end} <= {*self.names}:
            return found
        for protocol, port in self.asked:
            if self.allowed(src, dst, protocol, port):
                found |= port_sets.span(protocol, port, port)
        return found

    @property
    def every_asked(self):
        found = port_sets.NONE
        for protocol, port in self.asked:
            found |= port_sets.span(protocol, port, port)
        return found


class Rows:
    """Rows of `reach` or `changes`, by names of workloads and single addresses."""

    def __init__(self, rows):
        self._by_ends, self._ranges = {}, {}
        for row in rows:
            ends = (row.src, row.dst)
            if any(isinstance(end, Range) for end in ends):
                self._ranges.setdefault(tuple(map(_named, ends)), []).append((_span(ends), row))
            else:
                assert tuple(map(_named, ends)) not in self._by_ends, "a pair is listed twice"
                self._by_ends[tuple(map(_named, ends))] = row
        for found in self._ranges.values():
            found.sort(key=lambda item: item[0])
            for ((_, last), _), ((first, _), _) in pairwise(found):
                assert last < first, "ranges of one workload overlap"

    def of(self, src, dst):
        """The row of two ends, if any."""
        at = [_number(end) for end in (src, dst) if "/" not in end]
        if not at:
            return self._by_ends.get((src, dst))
        found = self._ranges.get(tuple(end if "/" in end else None for end in (src, dst)), [])
        place = bisect_right([first for (first, _), _ in found], at[0]) - 1
        return found[place][1] if place >= 0 and at[0] <= found[place][0][1] else None


def _named(end):
    return None if isinstance(end, Range) else f"{end.pod.namespace}/{end.pod.name}"


def _span(ends):
    found = next(end for end in ends if isinstance(end, Range))
    return _number(str(found.first)), _number(str(found.last))


def _number(address):
    """Of addresses of both families one ascending number."""
    found = ipaddress.ip_address(address)
    return found.version, int(found)


_RULE = re.compile(r" (?:specs\[(?P<spec>\d+)\]\.)?(?P<part>\w+)\[(?P<number>\d+)\]")
_OF_NO_RULE = (
    "no policy isolates ",
    "a NetworkPolicy selects the pod",
    "the pod's own node, which Cilium lets in",
    "Cilium 1.20 ",
    "Tier/",
)


def stands(fleet, reason):
    """Whether a reason names a policy and a rule that are there, where it names one."""
    name = policy_of(reason)
    if not name:
        return reason.startswith(_OF_NO_RULE)
    (policy,) = (p for p in [*fleet.policies, *fleet.further] if title(p) == name)
    found = _RULE.match(reason.removeprefix(name))
    if found is None:
        return True
    spec = policy["specs"][int(found["spec"])] if found["spec"] else policy["spec"]
    return int(found["number"]) < len(spec[found["part"]])


def edges(*manifests):
    """The addresses at both ends of every block that stands anywhere in manifests, and their neighbours."""
    found = {}
    for block in {text for manifest in manifests for text in _texts(manifest)}:
        try:
            net = ipaddress.ip_network(block, strict=False)
        except ValueError:
            continue
        low, high = int(net.network_address), int(net.broadcast_address)
        for number in (low - 1, low, high, high + 1):
            if 0 <= number < 1 << net.max_prefixlen:
                found[str(type(net.network_address)(number))] = None
    return [*found]


def _texts(value):
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str) and ("/" in value or value.count(".") == 3):
        yield value


def pod_manifest(pod):
    """A pod as its manifest, on its node."""
    ports = [{"name": p.name, "containerPort": p.port, "protocol": p.protocol} for p in pod.ports]
    spec = {
        "serviceAccountName": pod.account,
        "hostNetwork": pod.host_network,
        "containers": [{"name": "c", "ports": ports}],
    }
    ips, nodes = (
        [{"ip": a} for a in (one, *more) if a]
        for one, more in ((pod.ip, pod.other_ips), (pod.node_ip, pod.other_node_ips))
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": pod.namespace, "name": pod.name, "labels": dict(pod.labels)},
        "spec": spec,
        "status": {"podIP": pod.ip, "podIPs": ips, "hostIP": pod.node_ip, "hostIPs": nodes},
    }


def namespace_manifest(name, labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def fleet_of(namespaces, pods, *others):
    """A fleet as it is read from files."""
    objects = [
        *(namespace_manifest(name, labels) for name, labels in namespaces.items()),
        *map(pod_manifest, pods),
        *others,
    ]
    return fleet(Document(obj, "all.yaml", line) for line, obj in enumerate(objects, 1))
