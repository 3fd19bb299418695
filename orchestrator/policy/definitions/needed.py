"""What a connection that definitions ask for is made of: Services, edges, and where the platform's own parts stand."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.files.manifest import space_of as space_of
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.workloads.fleet import Fleet, Workload

API_SERVER = "API server"
T = TypeVar("T")
Port = tuple[str, int]  # protocol and number at the destination's pod


@dataclass(frozen=True)
class Service:
    """A Service and the workloads behind it.

    `entrance` says by what it is reached from outside, `external` is the name of one of type ExternalName.
    `only_from` are the addresses that its load balancer lets in alone, `local` says that pods see these and not a node's.
    `addresses` are those that EndpointSlices or Endpoints give a Service without a selector, each with its ports by name.
    """

    namespace: str
    name: str
    kind: str
    ports: tuple[Mapping[str, Any], ...]
    labels: Mapping[str, str]
    behind: tuple[Workload, ...]
    headless: bool = False
    entrance: str = ""
    external: str = ""
    addresses: tuple[tuple[str, tuple[tuple[str, str, int], ...]], ...] = ()
    only_from: tuple[str, ...] = ()
    local: bool = False

    def at_pods(self, port: int | str | None) -> dict[Workload, set[Port]]:
        """The ports at the pods behind it, for one of its ports by number or name; all for None.

        This is what a controller sees that reads the Service's EndpointSlices, such as that of an Ingress or a monitor.
        """
        found: dict[Workload, set[Port]] = {}
        for entry in self.ports:
            if port is not None and port not in (entry.get("port"), entry.get("name")):
                continue
            target, protocol = entry.get("targetPort", entry["port"]), entry.get("protocol", "TCP")
            for workload in self.behind:
                found.setdefault(workload, set()).update(at_pod(workload.pod, target, protocol))
        return found

    def called(self, port: int | None) -> dict[Workload, set[Port]]:
        """The ports at the pods for who calls its name: a headless one resolves to the pods and translates no port."""
        if not self.headless or port is None:
            return self.at_pods(port)
        listed = {
            str(e.get("protocol", "TCP")) for e in self.ports if port in (e.get("port"), e.get("targetPort"))
        }
        found = {}
        for workload in self.behind:
            declared = {p.protocol for p in workload.pod.ports if p.port == port}
            found[workload] = {(protocol, port) for protocol in declared or listed or {"TCP"}}
        return found

    def elsewhere(self, port: int | None) -> dict[str, set[Port]]:
        """The addresses behind it, with their ports, for one of its ports by number; all for None."""
        wanted = {
            str(e.get("name") or "")
            for e in self.ports
            if port is None or e.get("port") == port or (self.headless and e.get("targetPort") == port)
        }
        found: dict[str, set[Port]] = {}
        for address, ports in self.addresses:
            meant = {(protocol, number) for name, protocol, number in ports if name in wanted}
            if self.headless and port is not None and not meant:
                meant = {("TCP", port)}
            if meant:
                found.setdefault(address, set()).update(meant)
        return found


@dataclass(frozen=True)
class Edge:
    """A connection that is needed, and where that is said. An end that is a str is outside of the manifests:

    `internet`, an address, `namespace NAME`, or `API server`. `host` is the name of one outside, where that is said.
    """

    src: Workload | str
    dst: Workload | str
    ports: frozenset[Port]
    origin: str
    host: str = ""


@dataclass(frozen=True)
class Note:
    """Something that was met and is not opened, for people who have to decide.

    `outcome` is what becomes of it in policies that are made. `about` names the namespaces and workloads that it concerns, all
    workloads of a namespace where it names none; empty for everything.
    """

    text: str
    outcome: str = ""
    about: frozenset[str] = frozenset()

    @property
    def whole(self) -> str:
        """The text with the outcome."""
        return f"{self.text}: {self.outcome}" if self.outcome else self.text

    def concerns(self, name: str, spaces: frozenset[str]) -> bool:
        """Whether it is about a namespace or a workload by a name of it; `spaces` are those where that stands."""
        named = any("/" in one for one in self.about)
        return not self.about or name in self.about or not (named or self.about.isdisjoint(spaces))


Found = Edge | Note


@dataclass(frozen=True)
class Platform:
    """Where things live that the manifests may not hold; `nodes` and `api_server` are addresses or ranges.

    `gateways` is the namespace of the proxies of Gateways, where it is not each Gateway's own.
    """

    ingress: str = "ingress-nginx"
    monitoring: str = "monitoring"
    nodes: tuple[str, ...] = ()
    api_server: tuple[str, ...] = ()
    gateways: str = ""


def at_pod(pod: Pod, target: int | str, protocol: str) -> set[Port]:
    """A target port, a declared name resolved; empty where no container declares it."""
    if isinstance(target, int):
        return {(protocol, target)}
    return {(protocol, p.port) for p in pod.ports if p.name == target and p.protocol == protocol}


def shaped(
    documents: Iterable[Document], read: Callable[[Document], Iterator[T]], wrong: list[str] | None = None
) -> Iterator[T]:
    """What is read of each document. Raises BadInput with file and line for one of another shape.

    With `wrong`, that one is left out, whole, and is said there.
    """
    for document in documents:
        try:
            found = list(read(document))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            name = f"{document.obj['kind']} {space_of(document.obj)}/{document.obj['metadata']['name']}"
            text = f"{name} is not of the shape that the API has ({error})"
            told = BadInput(text, document.where)
            if wrong is None:
                raise told from None
            wrong.append(str(told))
            continue
        yield from found


def known_as(workload: Workload) -> tuple[str, ...]:
    """By what people name it, its namespace included."""
    pod = workload.pod
    return (workload.name, pod.name, pod.namespace, f"{pod.namespace}/{pod.name}")


def standing(fleet: Fleet, namespace: str, named: str = "") -> list[Workload | str]:
    """The workloads of a platform's namespace, those of a name where some are; itself where none is known."""
    mine = [w for w in fleet.workloads if w.pod.namespace == namespace]
    preferred = [w for w in mine if named and named in (w.pod.name, *w.pod.labels.values())]
    return list(preferred or mine) or [f"namespace {namespace}"]
