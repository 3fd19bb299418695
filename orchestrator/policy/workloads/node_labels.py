"""What is known of nodes: their labels, by the addresses that traffic of theirs may have."""

import ipaddress
from collections.abc import Iterable, Mapping

from orchestrator.policy.files.manifest import Document

_CARRIED = ("InternalIP", "ExternalIP")


def node_labels(documents: Iterable[Document]) -> dict[str, Mapping[str, str]]:
    """The labels of each Node by each of its addresses."""
    found: dict[str, Mapping[str, str]] = {}
    for document in documents:
        obj = document.obj
        if (obj["apiVersion"], obj["kind"]) != ("v1", "Node"):
            continue
        for entry in (obj.get("status") or {}).get("addresses") or []:
            if entry.get("type") in _CARRIED:
                found[str(ipaddress.ip_address(entry["address"]))] = obj["metadata"].get("labels") or {}
    return found
