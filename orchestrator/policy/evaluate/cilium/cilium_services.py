"""What rules of Cilium refer to by name or label: Services with their endpoints, and groups of CIDRs.

Sources: Cilium 1.20, Documentation/security/policy/layer3.rst; CiliumCIDRGroup, spec.externalCIDRs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_selectors import Endpoints, of_service, selects_labels
from orchestrator.policy.objects.cilium_words import CIDR_GROUP

Part = Mapping[str, Any]
SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Resolved:
    """Whom Services stand for: pods where they have a selector, else the addresses of their endpoints."""

    endpoints: tuple[Endpoints, ...]
    blocks: tuple[Part, ...]

    def __bool__(self) -> bool:
        return bool(self.endpoints or self.blocks)


class Referred:
    """Services, EndpointSlices and CiliumCIDRGroups among manifests."""

    def __init__(self, manifests: Iterable[Part]) -> None:
        by_kind: dict[str, list[Part]] = {}
        for manifest in manifests:
            by_kind.setdefault(str(manifest.get("kind")), []).append(manifest)
        self._services = by_kind.get("Service", [])
        self._groups = by_kind.get(CIDR_GROUP, [])
        self._slices: dict[tuple[str, str], list[Part]] = {}
        for found in by_kind.get("EndpointSlice", []):
            name = _labels(found).get(SERVICE_NAME, "")
            self._slices.setdefault((_namespace(found), name), []).append(found)

    def services(self, entry: Part) -> Resolved:
        """Those that an item of toServices means, in every namespace where it names none."""
        endpoints, blocks = [], []
        for service in self._meant(entry):
            space, name = _namespace(service), service["metadata"]["name"]
            if selector := (service.get("spec") or {}).get("selector"):
                endpoints.append(of_service(selector, space))
            else:
                blocks += [{"cidr": address} for address in self._addresses(space, name)]
        return Resolved(tuple(endpoints), tuple(blocks))

    def blocks(self, entry: Part) -> Sequence[Part]:
        """The blocks of an item of CIDRSets: its own, or those of the groups that it refers to; each without its exceptions."""
        if entry.get("cidr") is not None:
            return (entry,)
        without = entry.get("except") or ()
        return tuple(
            {"cidr": cidr, "except": without}
            for group in self._groups
            if _refers(entry, group)
            for cidr in (group.get("spec") or {}).get("externalCIDRs") or ()
        )

    def _meant(self, entry: Part) -> Iterator[Part]:
        named, labelled = entry.get("k8sService"), entry.get("k8sServiceSelector")
        space = (named or labelled or {}).get("namespace")
        for service in self._services:
            if space and _namespace(service) != space:
                continue
            by_name = named is not None and named.get("serviceName") == service["metadata"]["name"]
            selector = (labelled or {}).get("selector")
            if by_name or (selector is not None and selects_labels(selector, _labels(service))):
                yield service

    def _addresses(self, space: str, name: str) -> Iterator[str]:
        for found in self._slices.get((space, name), ()):
            for endpoint in found.get("endpoints") or () if found.get("addressType") != "FQDN" else ():
                yield from endpoint.get("addresses") or ()


def _refers(entry: Part, group: Part) -> bool:
    if (wanted := entry.get("cidrGroupRef")) is not None:
        return bool(group["metadata"]["name"] == wanted)
    selector = entry.get("cidrGroupSelector")
    return selector is not None and selects_labels(selector, _labels(group))


def _labels(obj: Part) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _namespace(obj: Part) -> str:
    return str(obj["metadata"].get("namespace") or "default")
