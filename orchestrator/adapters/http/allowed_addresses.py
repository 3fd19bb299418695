"""Which addresses are asked: https, http where a caller allows it, and never the machine's own metadata."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Where clouds hand out a machine's credentials, beside the link-local addresses that most of them use.
_METADATA = frozenset(
    ip_address(a)
    for a in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits


def problem(url: str, plain: bool = False, query: bool = False) -> str:
    """What is wrong with an address, without what may be secret in it; empty where nothing is.

    `plain` allows http beyond loopback, `query` allows a query string.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return "is no http:// or https:// address"
    if parts.username is not None or parts.password is not None:
        return "holds credentials"
    if parts.fragment or (parts.query and not query):
        return "holds a query or a fragment"
    if parts.scheme == "http" and not plain and parts.hostname not in LOOPBACK:
        return "is no https address"
    return "" if all(allowed(a) for a in _numeric(parts.hostname or "")) else "is the machine's own metadata"


def shown(url: str) -> str:
    """An address without what may be secret in it: user, query, fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def allowed(address: str) -> bool:
    """Whether an IP address is no link-local one and none of a cloud's metadata."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address) and (ip.ipv4_mapped or ip in _NAT64):
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    return not ip.is_link_local and ip not in _METADATA


def _numeric(host: str) -> list[str]:
    """The IP address that a host is already, however it is written (0xa9fea9fe, 2852039166); nothing for a name."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)]
    except (OSError, UnicodeError):
        return []
