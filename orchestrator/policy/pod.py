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
    """What policies see of a pod; `node_ip` is the address of the node that it runs on.

    `scraped` is a port that its annotations tell Prometheus to read; no policy sees that.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ip: str = ""
    ports: tuple[NamedPort, ...] = ()
    node_ip: str = ""
    host_network: bool = False
    scraped: int = 0


# A str is an address outside the cluster, or a node's.
End = Pod | str
