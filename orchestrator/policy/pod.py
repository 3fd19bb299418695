"""What policies see of the two ends of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class NamedPort:
    """A declared container port."""

    name: str
    port: int
    protocol: str = "TCP"


@dataclass(frozen=True)
class Pod:
    """What policies see of a pod; `node_ip` is the address of the node that it runs on."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ip: str = ""
    ports: tuple[NamedPort, ...] = ()
    node_ip: str = ""
    host_network: bool = False


# A str is an address outside the cluster, or a node's.
End = Pod | str
