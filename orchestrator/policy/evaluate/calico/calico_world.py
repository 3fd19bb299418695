"""What Calico's selectors see of the two ends of a connection: pods, and sets of networks that cover an address.

Source: projectcalico.org/v3, and the labels that Calico gives to what it knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from orchestrator.policy.evaluate.meaning import inside
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.objects.selector import matches

Part = Mapping[str, Any]
Labels = Mapping[str, str]
_OF_SERVICE = "kubernetes.io/service-name"
_GROUP = "projectcalico.org"
_NONE: Labels = {}


@dataclass(frozen=True, eq=False)
class Known:
    """What has labels in Calico: a pod, a NetworkSet, or a GlobalNetworkSet, whose `space` is empty.

    `account` is the name of a pod's service account. Selectors for namespaces and for service accounts see the labels of
    those, their names among them.
    """

    space: str
    labels: Labels
    of_space: Labels
    account: str = ""
    of_account: Labels = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Place:
    """One end of a connection: its address, the pod where it is one, and all that is known at that address."""

    address: str
    pod: Pod | None
    known: tuple[Known, ...]


@dataclass(frozen=True, eq=False)
class _Service:
    """Addresses with the ports that a Service has at them; `selector` where nothing but its own text says which pods."""

    ports: Mapping[str, int]
    selector: Part | None = None
    entries: Sequence[Part] = ()

    def at(self, place: Place) -> int | None:
        """The ports of the Service that an end is one of; None where it is none of its ends."""
        if self.selector is None:
            return self.ports.get(place.address)
        pod = place.pod
        if pod is None or not matches({"matchLabels": self.selector}, pod.labels):
            return None
        found = ports.NONE
        for entry in self.entries:
            found |= ports.of_rule([_targeted(entry)], pod)
        return found


class World:
    """Namespaces, service accounts, sets and Services, as of one moment."""

    def __init__(self, namespaces: Mapping[str, Labels], further: Sequence[Part]) -> None:
        """`further` may hold other objects too, which are left aside."""
        self._namespaces = namespaces
        self._further = further
        self._spaces: dict[str, Labels] = {}
        self._places: dict[End, Place] = {}
        self.blocks = [net for known, nets in self._sets for net in nets]
        self.global_sets = any(not known.space for known, _ in self._sets)

    def place(self, end: End) -> Place:
        """An end as selectors see it."""
        if end not in self._places:
            pod = end if isinstance(end, Pod) else None
            address = pod.ip if pod else str(end)
            covering = [known for known, nets in self._sets if within(nets, address)]
            self._places[end] = Place(address, pod, (*([self._pod(pod)] if pod else ()), *covering))
        return self._places[end]

    def service(self, place: Place, space: str, name: str) -> int | None:
        """The ports at an end of a Service, by its namespace and name; None where it is none of its ends."""
        found = self._services.get((space, name))
        if found is None or (found.selector is not None and place.pod and place.pod.namespace != space):
            return None
        return found.at(place)

    def service_addresses(self) -> list[str]:
        """Those that EndpointSlices name."""
        return [address for service in self._services.values() for address in service.ports]

    def _of_kind(self, kind: str, group: str = "") -> list[Part]:
        return [o for o in self._further if o["kind"] == kind and _group(o) == group]

    def _space(self, name: str) -> Labels:
        if name not in self._spaces:
            own = self._namespaces.get(name, _NONE)
            self._spaces[name] = {**own, f"{_GROUP}/name": name}
        return self._spaces[name]

    def _pod(self, pod: Pod) -> Known:
        of_space = self._space(pod.namespace)
        own = self._accounts.get((pod.namespace, pod.account), _NONE)
        of_account = {**own, f"{_GROUP}/name": pod.account}
        labels = {
            **_inherited(of_space, "pcns."),
            **_inherited(of_account, "pcsa."),
            **pod.labels,
            f"{_GROUP}/namespace": pod.namespace,
            f"{_GROUP}/serviceaccount": pod.account,
            f"{_GROUP}/orchestrator": "k8s",
        }
        return Known(pod.namespace, labels, of_space, pod.account, of_account)

    @cached_property
    def _accounts(self) -> dict[tuple[str, str], Labels]:
        found = {}
        for account in self._of_kind("ServiceAccount"):
            meta = account["metadata"]
            found[(meta.get("namespace", ""), meta["name"])] = meta.get("labels") or _NONE
        return found

    @cached_property
    def _sets(self) -> list[tuple[Known, list[str]]]:
        found = []
        for kind in ("NetworkSet", "GlobalNetworkSet"):
            for obj in self._of_kind(kind, _GROUP):
                meta = obj["metadata"]
                space = meta.get("namespace", "") if kind == "NetworkSet" else ""
                labels: Labels = meta.get("labels") or _NONE
                of_space = self._space(space) if space else _NONE
                if space:
                    labels = {**_inherited(of_space, "pcns."), **labels, f"{_GROUP}/namespace": space}
                found.append(
                    (Known(space, labels, of_space), list((obj.get("spec") or {}).get("nets") or ()))
                )
        return found

    @cached_property
    def _services(self) -> dict[tuple[str, str], _Service]:
        """By EndpointSlices; where there are none of any Service, as in files, by the Services' selectors."""
        slices = self._of_kind("EndpointSlice", "discovery.k8s.io")
        if not slices:
            return {
                (s["metadata"].get("namespace", ""), s["metadata"]["name"]): _Service(
                    {}, s["spec"]["selector"], s["spec"].get("ports") or ()
                )
                for s in self._of_kind("Service")
                if (s.get("spec") or {}).get("selector")
            }
        found: dict[tuple[str, str], dict[str, int]] = {}
        for obj in slices:
            meta = obj["metadata"]
            name = (meta.get("labels") or _NONE).get(_OF_SERVICE)
            mine = found.setdefault((meta.get("namespace", ""), name or ""), {})
            mask = ports.NONE
            for entry in obj.get("ports") or ():
                if entry.get("port"):
                    mask |= ports.span(entry.get("protocol") or "TCP", entry["port"], entry["port"])
            for endpoint in obj.get("endpoints") or ():
                for address in endpoint.get("addresses") or ():
                    mine[address] = mine.get(address, ports.NONE) | mask
        return {key: _Service(addresses) for key, addresses in found.items()}


def _group(obj: Part) -> str:
    return str(obj["apiVersion"]).rpartition("/")[0]


def _inherited(labels: Labels, prefix: str) -> dict[str, str]:
    return {f"{prefix}{key}": value for key, value in labels.items()}


def within(nets: Sequence[str], address: str) -> bool:
    """Whether an address is known and in one of several networks."""
    return bool(address) and any(inside({"cidr": net}, address) for net in nets)


def _targeted(entry: Part) -> Part:
    """A port of a Service as one of a NetworkPolicy."""
    return {"protocol": entry.get("protocol") or "TCP", "port": entry.get("targetPort") or entry["port"]}
