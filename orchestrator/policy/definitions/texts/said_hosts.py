"""Which hosts a text says: Services of the cluster, hosts outside, and what cannot be told from either."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from orchestrator.policy.definitions.needed import API_SERVER, Service
from orchestrator.policy.definitions.texts.host_names import (
    Named,
    address_of,
    is_name,
    is_outside,
    is_public,
    meant_elsewhere,
    service_of,
)  # fmt: skip
from orchestrator.policy.definitions.texts.said_pairs import MOST_TEXT
from orchestrator.policy.definitions.texts.unread_config import HOST_KEY

SCHEMES = {
    "http": 80, "ws": 80, "https": 443, "wss": 443, "grpc": 80, "grpcs": 443, "postgres": 5432, "postgresql": 5432,
    "mysql": 3306, "redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "mongodb": 27017, "nats": 4222,
    "kafka": 9092, "memcached": 11211, "smtp": 25, "smtps": 465, "ldap": 389, "ldaps": 636, "mqtt": 1883, "mqtts": 8883,
}  # fmt: skip
# Optional scheme and user, a host, an optional port.
_ADDRESS = re.compile(
    r"(?<![\w.@/-])(?:jdbc:)?(?:(?P<scheme>[A-Za-z][A-Za-z0-9_+.-]{1,20})://)?(?:[^\s:/@,'\"]{0,64}(?::[^\s/,'\"]{0,128})?@)?"
    r"(?:(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)\.?|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>\d{1,5})(?!\d))?(?![\w-])"
)
_NOT_CALLED = re.compile(r"NO_?PROXY$|nonProxyHosts$", re.I)  # by way of a proxy, that is
_NO_HOST_KEY = re.compile(r"IMAGE|LISTEN|BIND|VERSION|FILE|PATH", re.I)
# Targets of gRPC and of Thanos, which name a resolver before the host: `dns:///api.shop:80`, `dnssrv+_grpc._tcp.api.shop.svc`.
_RESOLVED = re.compile(
    r"\b(?:(?:dns|passthrough|static|kubernetes|k8s|kuberesolver|xds|discovery):(?://[^/\s,'\"]*/)|"
    r"(?:dns|dnssrv|dnssrvnoa)\+(?:_[\w-]+\._(?:tcp|udp)\.)?)(?=[\w\[])"
)
_PORT_APART = re.compile(r"(?<![\w.@:-])([a-z][a-z0-9.-]{0,251})[ /]+(\d{2,5})(?![\w.])")
_OF_NAMESPACE = re.compile(
    r"(?<![\w./@:-])([a-z0-9-]{1,63})/([a-z][a-z0-9-]{0,62})(?::(\d{2,5}))?(?![\w./-])"
)
# What the kubelet gives containers for every Service: `$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)`.
_INJECTED = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9_+.-]{1,20}://)?\$[({]?([A-Z][A-Z0-9_]{0,63})_SERVICE_HOST[)}]?:\$[({]?[A-Z][A-Z0-9_]{0,63}_SERVICE_PORT\w{0,64}[)}]?|"
    r"\$[({]?([A-Z][A-Z0-9_]{0,63})_SERVICE_HOST[)}]?"
)
_ORACLE = re.compile(r"@//(?=\w)")
_PLACEHOLDER = re.compile(r"\b[A-Za-z][A-Za-z0-9_+.-]{1,20}://[^\s/,'\"]{0,64}(?:\$[({]|\{\{)[^\s,'\"]{0,64}")
_NO_NETWORK = frozenset(
    {
        "file", "unix", "s3", "s3a", "gs", "gcs", "data", "docker", "oci", "urn", "jar", "classpath", "vault", "memory", "mem", "sqlite",
        "sqlite3", "spiffe", "env", "secret", "ref", "res", "resource", "asset", "test", "about", "arn", "abfs", "abfss", "wasb", "wasbs",
    }
)  # fmt: skip
_KUBERNETES = re.compile(r"kubernetes\.default(\.svc(\.[a-z0-9.-]+)?)?")
UNKNOWN = "Service "  # before a name that no Service here has
NO_PORT = "host "  # before a host outside of which no port is said
PLACEHOLDER = "placeholder "  # before an address that is put together later
BEYOND = "beyond"  # in place of what follows after so many characters
LEAST_PORT = 80  # of a name with a number behind it: below, it may be a version
Target = tuple[Service, int | None] | tuple[str, int]
MOST_TOKENS = 5_000
MOST_ALIASES = 3  # Services of type ExternalName that name one another


def called(
    key: str,
    text: str,
    space: str,
    services: Named,
    spaces: Collection[str],
    beside: int | None = None,
) -> Iterator[Target]:
    """Services with the port that is meant (None is all), and hosts outside with theirs; `beside` is that of DB_PORT for DB_HOST.

    Other names and places come with a word before them: UNKNOWN, NO_PORT, PLACEHOLDER or BEYOND.
    """
    if _NOT_CALLED.search(key):
        return
    if len(text) > MOST_TEXT:
        yield BEYOND, MOST_TEXT
    text = _ORACLE.sub("@", _RESOLVED.sub("srv://", text[:MOST_TEXT]))
    if "_SERVICE_HOST" in text:
        text = _INJECTED.sub(lambda m: f"srv://{_dns(m[1])}" if m[1] else _dns(m[2]), text)
    key = "" if "\n" in text else key  # the name of a file tells nothing of what stands in it
    listed = {part.strip() for part in text.split(",")}
    for match in _PLACEHOLDER.finditer(text):
        yield f"{PLACEHOLDER}{match[0]}", 0
    yield from _apart(key, text, space, services)
    for number, match in enumerate(_ADDRESS.finditer(text)):
        if number >= MOST_TOKENS:
            yield BEYOND, match.start()
            return
        one = _said(match, listed, key)
        if one is None:
            continue
        service = _aliased(service_of(one.host, space, services), services)
        if service is None:
            yield from _unknown(one, key, services, spaces, beside)
        elif one.scheme or match["port"] or one.cluster or one.plain:
            yield service, one.port


def _dns(variable: str) -> str:
    return variable.lower().replace("_", "-")


def _apart(key: str, text: str, space: str, services: Named) -> Iterator[Target]:
    """A Service whose port stands after a blank, as in `nc -z db 5432`, or that is said as `namespace/name:port`."""
    for match in _PORT_APART.finditer(text):
        service, port = service_of(match[1], space, services), int(match[2])
        if service is not None and any(port in (e.get("port"), e.get("targetPort")) for e in service.ports):
            yield service, port
    for match in _OF_NAMESPACE.finditer(text):
        named = services.get((match[1], match[2]))
        # not an image, nor a controller's own Service
        alone = match[0] == text and HOST_KEY.search(key) and "publish" not in key
        if named is not None and (match[3] or alone) and not _NO_HOST_KEY.search(key):
            yield named, int(match[3]) if match[3] else None


@dataclass(frozen=True)
class _Said:
    """A host with its port, if any. `cluster` is a name of the cluster's DNS; `whole` that nothing stands beside it, `plain` that its
    key says that it is a host."""

    host: str
    port: int | None
    scheme: str
    cluster: bool
    whole: bool
    plain: bool


def _said(match: re.Match[str], listed: Collection[str], key: str) -> _Said | None:
    scheme, host = (match["scheme"] or "").lower(), (match["host"] or match["six"]).lower()
    port = int(match["port"]) if match["port"] else SCHEMES.get(scheme.partition("+")[0])
    if scheme in _NO_NETWORK or (port is not None and not 1 <= port <= 65535):
        return None
    whole = match[0] in listed and not _NO_HOST_KEY.search(key)
    return _Said(host, port, scheme, ".svc" in host, whole, whole and bool(HOST_KEY.search(key)))


def _aliased(service: Service | None, services: Named) -> Service | None:
    for _ in range(MOST_ALIASES):
        if service is None or not service.external:
            break
        service = service_of(service.external.lower(), service.namespace, services) or service
    return service


def _unknown(
    one: _Said, key: str, services: Named, spaces: Collection[str], beside: int | None
) -> Iterator[tuple[str, int]]:
    """What a host is that no Service here has the name of; nothing where it may be no host at all."""
    number = one.port or (beside if one.plain else None)
    address = address_of(one.host)
    if _KUBERNETES.fullmatch(one.host):
        yield API_SERVER, 0
    elif address is not None and (address.is_loopback or address.is_unspecified or _NO_HOST_KEY.search(key)):
        return
    elif address is None and (one.scheme or one.plain) and meant_elsewhere(one.host, services):
        yield f"{UNKNOWN}{one.host}", one.port or 0
    elif address is not None or (
        not one.cluster
        and ((one.scheme and is_outside(one.host, spaces)) or (one.whole and is_public(one.host)))
    ):
        if number:
            yield one.host, number
        elif one.scheme or one.plain:
            yield f"{NO_PORT}{one.host}", 0
    elif one.cluster or (is_name(one.host) and _means_one(one, spaces, beside)):
        yield f"{UNKNOWN}{one.host}", number or 0


def _means_one(one: _Said, spaces: Collection[str], beside: int | None) -> bool:
    """Whether a name that is not known here is a Service's all the same: `cache:6379` is, `python:3` and a plain word are not."""
    if one.scheme or (one.host.partition(".")[2] in spaces and (one.port or one.plain)):
        return True
    return one.whole and bool((one.port or 0) >= LEAST_PORT or (one.plain and one.host != "localhost"))
