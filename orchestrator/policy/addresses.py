"""Which connections the addresses ask for that containers and their ConfigMaps say."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.fleet import Workload, owner_of
from orchestrator.policy.host_names import is_public
from orchestrator.policy.manifest import Document
from orchestrator.policy.needed import API_SERVER, Edge, Found, Note, space_of
from orchestrator.policy.places import Places
from orchestrator.policy.said_hosts import (
    BEYOND,
    NO_PORT,
    PLACEHOLDER,
    UNKNOWN,
    Target,
)  # fmt: skip
from orchestrator.policy.said_targets import Said, beside, ports_of
from orchestrator.policy.templates import Template, containers, template_of
from orchestrator.policy.unread_config import absent, config_maps, of_the_node, secrets

_VARIABLE = re.compile(r"\$\(([A-Za-z_][\w.-]{0,252})\)")
NOTHING = "nothing is opened for it"
MOST_NAMED = 20  # of a text, by name
ConfigMaps = Mapping[tuple[str, str], Mapping[str, Any]]


def _opened(found: Target) -> bool:
    return not (isinstance(found[0], str) and found[0].startswith((UNKNOWN, NO_PORT, PLACEHOLDER)))


def addresses(
    document: Document,
    obj: Mapping[str, Any],
    known: Mapping[tuple[str, str, str], Workload],
    maps: ConfigMaps,
    said: Said,
    places: Places,
) -> Iterator[Found]:
    """What a workload's containers and ConfigMaps ask for, and what of it is named and not opened."""
    template: Template | None = template_of(obj)
    if template is None:
        return
    kind, name = owner_of(obj) if obj["kind"] == "Pod" else (obj["kind"], str(obj["metadata"]["name"]))
    workload = known.get((kind, space_of(obj), name))
    if workload is None:
        return
    spec = template.get("spec") or {}
    yield from secrets(spec, workload)
    yield from absent(spec, workload, maps)
    yield from of_the_node(spec, workload)
    texts = list(_texts(spec, space_of(obj), maps))
    ports = ports_of((key, text) for key, text, _ in texts)
    for key, text, origin in texts:
        subject, variable = f"{obj['kind']} {obj['metadata']['name']}", origin.removeprefix("env ")
        stands = places.variable(document.where, subject, variable) if variable != origin else document.where
        where = f"{origin} in {stands}"
        targets = said.targets(key, text, workload.pod.namespace, beside(key, ports))
        yield from (e for t in targets if _opened(t) for e in edge_to(workload, t, where, said))
        named = [t for t in targets if not _opened(t)]
        yield from (e for t in named[:MOST_NAMED] for e in edge_to(workload, t, where, said))
        if len(named) > MOST_NAMED:
            yield Note(
                f"{workload.name} calls {len(named) - MOST_NAMED} hosts more, {where}, that are not here",
                NOTHING,
            )


def _texts(spec: Mapping[str, Any], space: str, maps: ConfigMaps) -> Iterator[tuple[str, str, str]]:
    """A key that may tell that it is an address, the text, and where it stands."""
    for container in containers(spec):
        given: dict[str, str] = {}
        for key, text, origin in _variables(container, space, maps):
            given[key] = _expanded(text, given)
            yield key, given[key], origin
        for key, text in _arguments(container, given):
            yield key, text, "an argument"
            asked = maps.get((text.partition("/")[0], text.partition("/")[2]))
            if asked is not None and key.lower().endswith("configmap"):  # of ingress-nginx, for TCP and UDP
                yield from (
                    (str(k), str(v), f"ConfigMap {text}") for k, v in (asked.get("data") or {}).items()
                )
    for name in config_maps(spec):
        for key, text in ((maps.get((space, name)) or {}).get("data") or {}).items():
            yield str(key), str(text), f"ConfigMap {name}"


def _arguments(container: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """`--db-host=db`, `--db-host db`, and whole texts; what stands alone is its own key."""
    parts = [*(container.get("command") or []), *(container.get("args") or [])]
    before = ""
    for text in (_expanded(str(part), given) for part in parts):
        key, _, value = text.partition("=")
        yield key, value or key
        if before.startswith("-") and "=" not in before and not text.startswith("-"):
            yield "--host" if before == "-h" else before, text
        before = text


def _variables(container: Mapping[str, Any], space: str, maps: ConfigMaps) -> Iterator[tuple[str, str, str]]:
    for entry in container.get("env") or []:
        if entry.get("value") is not None:
            yield str(entry["name"]), str(entry["value"]), f"env {entry['name']}"
        reference = (entry.get("valueFrom") or {}).get("configMapKeyRef") or {}
        data = (maps.get((space, reference.get("name", ""))) or {}).get("data") or {}
        if reference.get("key") in data:
            yield str(entry["name"]), str(data[reference["key"]]), f"ConfigMap {reference['name']}"


def _expanded(text: str, given: Mapping[str, str]) -> str:
    """With `$(NAME)` as the kubelet writes it out; one that is not known stays, and the result has a bound."""
    return _VARIABLE.sub(lambda m: given.get(m[1], m[0])[:1024], text) if "$(" in text else text


def _named(workload: Workload, target: str, port: int, origin: str, said: Said) -> Iterator[Found]:
    """A target that is no Service here: opened as an address or the internet, or named."""
    who = workload.name
    if target == BEYOND:
        yield Note(f"{who}, {origin}: what follows after {port} characters is not read", NOTHING)
    elif target.startswith(PLACEHOLDER):
        what = target.removeprefix(PLACEHOLDER)
        yield Note(f"{who} calls {what}, {origin}: what stands in place of that is not known here", NOTHING)
    elif target.startswith(NO_PORT):
        text = "no port is said, so that nothing is opened for it"
        yield Note(f"{who} names {target.removeprefix(NO_PORT)}, {origin}: {text}")
    elif target.startswith(UNKNOWN):
        host = target.removeprefix(UNKNOWN)
        hint = said.hint(host)
        text = f"no Service of that name is here{hint}, so that nothing is opened for it"
        yield Note(f"{who} calls {host}{f':{port}' if port else ''}, {origin}: {text}")
    elif target == API_SERVER:
        yield Edge(workload, API_SERVER, frozenset(), f"kubernetes.default, {origin}")
    else:
        yield from _outside(workload, target, port, origin)


def _outside(workload: Workload, target: str, port: int, origin: str) -> Iterator[Found]:
    try:
        where = str(ipaddress.ip_address(target))
    except ValueError:
        where = "internet"
        if target.count(".") == 1 and not is_public(f"x.{target}"):
            text = "opened as a host outside: where a Service of another namespace is meant, its manifests are not here"
            yield Note(f"{workload.name} calls {target}:{port}, {origin}: {text}")
    yield Edge(workload, where, frozenset({("TCP", port)}), f"{target}:{port}, {origin}")


def edge_to(
    workload: Workload,
    found: Target,
    origin: str,
    said: Said,
) -> Iterator[Found]:
    """What a workload needs for one target, `origin` says why, or what is named in its place."""
    target, port = found
    if isinstance(target, str):
        yield from _named(workload, target, int(port or 0), origin, said)
        return
    if target.kind == "ExternalName":
        ports_outside = frozenset({("TCP", int(port or 443))})
        yield Edge(workload, "internet", ports_outside, f"Service {target.name}, {origin}")
        return
    told = f"{target.name}.{target.namespace}{f':{port}' if port else ''}"
    meant = target.called(port)
    if not meant and port is not None and not target.ports:
        meant = {w: {("TCP", port)} for w in target.behind}
    elsewhere = target.elsewhere(port)
    for address, at in elsewhere.items():
        yield Edge(workload, address, frozenset(at), f"{told}, {origin}")
    if not target.behind and not elsewhere:
        text = "no workload here is behind that Service, and no EndpointSlice is given, so that nothing is opened for it"
        yield Note(f"{workload.name} calls {told}, {origin}: {text}")
    if port is not None and target.behind and not meant:
        listed = ", ".join(str(e["port"]) for e in target.ports)
        text = f"the Service lists {listed} alone, so that nothing is opened for it"
        yield Note(f"{workload.name} calls {told}, {origin}: {text}")
    for other, ports in meant.items():
        if ports:  # also among its own replicas
            yield Edge(workload, other, frozenset(ports), f"{told}, {origin}")
        else:
            text = f"{other.name} declares no port of the name that the Service's targetPort has"
            yield Note(f"{workload.name} calls {told}, {origin}: {text}, so that nothing is opened for it")
