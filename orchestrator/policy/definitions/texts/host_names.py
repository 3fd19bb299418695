"""What a host's name is: a Service of the cluster's DNS, an address, a name that public DNS may know."""

import ipaddress
from collections.abc import Collection, Mapping

from orchestrator.policy.definitions.needed import Service
from orchestrator.policy.files.nearest import nearest

# Endings of public names; two letters are a country's. Of other names with one dot nobody knows whether a namespace is meant.
_PUBLIC = ("com", "net", "org", "info", "dev", "app", "cloud", "gov", "edu", "mil", "int", "biz")
Named = Mapping[tuple[str, str], Service]


def service_of(host: str, space: str, services: Named) -> Service | None:
    """The Service of a name in the cluster's DNS; a StatefulSet's pod stands before its Service's name."""
    name, dot, rest = host.partition(".svc")
    if dot and rest not in ("", ".cluster.local") and not rest.startswith(".cluster."):
        return None
    parts = name.split(".")
    if len(parts) == 1:
        return services.get((space, parts[0]))
    if len(parts) == 2:
        found = services.get((parts[1], parts[0]))
        return found if found is not None or dot else services.get((space, parts[1]))
    return services.get((parts[2], parts[1])) if len(parts) == 3 else None


def is_name(host: str) -> bool:
    """Whether it looks like a Service's name: not this machine's, and no number."""
    return host != "localhost" and not host.endswith(".localhost") and not host.isdigit()


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def meant_elsewhere(host: str, services: Named) -> list[str]:
    """`oven.bakery` for `oven.bakrey`: Services of that name in namespaces that are spelt like the one that is given."""
    name, dot, space = host.partition(".")
    if not dot or "." in space:
        return []
    near = nearest(space, {s for s, n in services if n == name})
    return [f"{name}.{s}" for s in near]


def is_public(host: str) -> bool:
    """A name that ends as public ones do; not an address, and not a file's or a version's."""
    end = host.rpartition(".")[2]
    return (
        "." in host
        and (end in _PUBLIC or (len(end) == 2 and end.isalpha()))
        and host.count(".") > (len(end) == 2)
    )


def is_outside(host: str, spaces: Collection[str]) -> bool:
    """A name that a public DNS could know; `shop.payments` is a Service's where the namespace is known."""
    if host.count(".") == 1 and host.rpartition(".")[2] in spaces:
        return False
    return "." in host and not host.endswith((".local", ".internal", ".svc", ".localdomain"))
