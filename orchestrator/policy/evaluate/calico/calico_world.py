"""What Calico's selectors see of the two ends of a connection: pods, and sets of networks that cover an address.

Source: projectcalico.org/v3, and the labels that Calico gives to what it knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from orchestrator.policy.evaluate.pod_index import PodIndex
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.networks import Networks, canonical
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.objects.selector import matches, requirements

Part = Mapping[str, Any]
Labels = Mapping[str, str]
_OF_SERVICE = "kubernetes.io/service-name"
GROUP = "projectcalico.org"
_SETS = ("NetworkSet", "GlobalNetworkSet")
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


class _Service(Protocol):
    def at(self, place: Place) -> int | None:
        """The ports of a Service that an end is one of; None where it is none of its ends."""
        ...

    def among(self, pods: PodIndex) -> int:
        """The pods that are ends of it."""
        ...


@dataclass(frozen=True, eq=False)
class _Listed:
    """By the addresses that EndpointSlices name, with their ports."""

    ports: dict[str, int]

    def at(self, place: Place) -> int | None:
        return self.ports.get(place.address)

    def among(self, pods: PodIndex) -> int:
        return pods.covered(Networks(self.ports))


@dataclass(frozen=True, eq=False)
class _Selected:
    """By what the Service itself says of the pods of its namespace."""

    space: str
    spec: Part

    def at(self, place: Place) -> int | None:
        pod = place.pod
        if (
            pod is None
            or pod.namespace != self.space
            or not matches({"matchLabels": self.spec["selector"]}, pod.labels)
        ):
            return None
        entries = self.spec.get("ports") or ()
        return ports.of_rule([_targeted(entry) for entry in entries], pod) if entries else ports.NONE

    def among(self, pods: PodIndex) -> int:
        wanted = requirements({"matchLabels": self.spec["selector"]})
        return pods.within(self.space) & pods.pods.satisfying(wanted)


class World:
    """Namespaces, service accounts, sets and Services, as of one moment."""

    def __init__(self, namespaces: Mapping[str, Labels], further: Sequence[Part]) -> None:
        """`further` may hold other objects too, which are left aside."""
        self._namespaces = namespaces
        self._further = further
        self._spaces: dict[str, Labels] = {}
        self._places: dict[End, Place] = {}
        self.global_sets = any(not known.space for known, _ in self.sets)

    def place(self, end: End) -> Place:
        """An end as selectors see it."""
        if end not in self._places:
            pod = end if isinstance(end, Pod) else None
            address = pod.ip if pod else str(end)
            covering = [known for known, nets in self.sets if nets.hold(address)]
            self._places[end] = Place(address, pod, (*([self._pod(pod)] if pod else ()), *covering))
        return self._places[end]

    def service(self, place: Place, space: str, name: str) -> int | None:
        """The ports at an end of a Service, by its namespace and name; None where it is none of its ends."""
        found = self._services.get((space, name))
        return found.at(place) if found else None

    def pods_of(self, pods: PodIndex, space: str, name: str) -> int:
        """The pods that are ends of a Service."""
        found = self._services.get((space, name))
        return found.among(pods) if found else 0

    def addresses_of(self, space: str, name: str) -> Iterable[str]:
        """The addresses that the EndpointSlices of a Service name."""
        found = self._services.get((space, name))
        return found.ports if isinstance(found, _Listed) else ()

    def _of_kind(self, kind: str, group: str = "") -> list[Part]:
        return [o for o in self._further if o["kind"] == kind and _group(o) == group]

    def _space(self, name: str) -> Labels:
        if name not in self._spaces:
            own = self._namespaces.get(name, _NONE)
            self._spaces[name] = {**own, f"{GROUP}/name": name}
        return self._spaces[name]

    def _pod(self, pod: Pod) -> Known:
        of_space = self._space(pod.namespace)
        own = self._accounts.get((pod.namespace, pod.account), _NONE)
        of_account = {**own, f"{GROUP}/name": pod.account}
        labels = {
            **_inherited(of_space, "pcns."),
            **_inherited(of_account, "pcsa."),
            **pod.labels,
            f"{GROUP}/namespace": pod.namespace,
            f"{GROUP}/serviceaccount": pod.account,
            f"{GROUP}/orchestrator": "k8s",
        }
        return Known(pod.namespace, labels, of_space, pod.account, of_account)

    @cached_property
    def _accounts(self) -> dict[tuple[str, str], Labels]:
        found = {}
        for account in self._of_kind("ServiceAccount"):
            found[_key(account["metadata"])] = account["metadata"].get("labels") or _NONE
        return found

    @cached_property
    def sets(self) -> list[tuple[Known, Networks]]:
        """NetworkSets and GlobalNetworkSets."""
        found = []
        for kind in _SETS:
            for obj in self._of_kind(kind, GROUP):
                meta = obj["metadata"]
                space = _key(meta)[0] if kind == "NetworkSet" else ""
                labels: Labels = meta.get("labels") or _NONE
                of_space = self._space(space) if space else _NONE
                if space:
                    labels = {**_inherited(of_space, "pcns."), **labels, f"{GROUP}/namespace": space}
                found.append((Known(space, labels, of_space), Networks(_nets(obj))))
        return found

    @cached_property
    def _services(self) -> Mapping[tuple[str, str], _Service]:
        """By EndpointSlices; where there are none of any Service, as in files, by the Services' selectors."""
        slices = self._of_kind("EndpointSlice", "discovery.k8s.io")
        if not slices:
            services = [s for s in self._of_kind("Service") if (s.get("spec") or {}).get("selector")]
            return {_key(s["metadata"]): _Selected(_key(s["metadata"])[0], s["spec"]) for s in services}
        found: dict[tuple[str, str], _Listed] = {}
        for obj in slices:
            meta = obj["metadata"]
            name = (meta.get("labels") or _NONE).get(_OF_SERVICE, "")
            mine = found.setdefault((_key(meta)[0], name), _Listed({})).ports
            given = [entry for entry in obj.get("ports") or () if entry.get("port")]
            mask = ports.of_rule([_targeted(entry) for entry in given], "") if given else ports.NONE
            for endpoint in obj.get("endpoints") or () if obj.get("addressType") != "FQDN" else ():
                for address in map(canonical, endpoint.get("addresses") or ()):
                    mine[address] = mine.get(address, ports.NONE) | mask
        return found


def is_calico(obj: Part) -> bool:
    """Whether an object is one of projectcalico.org."""
    return _group(obj) == GROUP


def _key(meta: Part) -> tuple[str, str]:
    """Namespace and name."""
    return meta.get("namespace") or "default", meta["name"]


def _group(obj: Part) -> str:
    return str(obj["apiVersion"]).rpartition("/")[0]


def _nets(obj: Part) -> Sequence[str]:
    return (obj.get("spec") or {}).get("nets") or ()


def _inherited(labels: Labels, prefix: str) -> dict[str, str]:
    return {f"{prefix}{key}": value for key, value in labels.items()}


def _targeted(entry: Part) -> Part:
    """A port of a Service as one of a NetworkPolicy."""
    return {"protocol": entry.get("protocol") or "TCP", "port": entry.get("targetPort") or entry["port"]}
