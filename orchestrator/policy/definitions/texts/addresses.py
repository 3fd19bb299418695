"""Which connections the addresses ask for that containers and their ConfigMaps say."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.definitions.needed import API_SERVER, Edge, Found, Note, space_of
from orchestrator.policy.definitions.texts.config_data import ConfigMaps
from orchestrator.policy.definitions.texts.host_names import is_public
from orchestrator.policy.definitions.texts.pod_texts import texts
from orchestrator.policy.definitions.texts.said_hosts import (  # fmt: skip
    BEYOND,
    NO_PORT,
    PLACEHOLDER,
    UNKNOWN,
    Target,
)
from orchestrator.policy.definitions.texts.said_targets import Said, beside, ports_of, target_key
from orchestrator.policy.definitions.texts.unread_config import absent, mounted, of_the_node, secrets
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.pod_templates import Template, template_of
from orchestrator.policy.workloads.fleet import Workload, owner_of
from orchestrator.wording import agreeing, many

NOTHING = "nothing is opened for it"
MOST_NAMED = 20  # of a text, by name


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
    for name in mounted(spec):
        yield from maps.unread((space_of(obj), name))
    subject = f"{obj['kind']} {space_of(obj)}/{obj['metadata']['name']}"
    said_by = list(texts(spec, space_of(obj), maps))
    ports = ports_of((one.key, one.text) for one in said_by)
    told: set[tuple[str, object]] = set()
    for one in said_by:
        targets = said.targets(one.key, one.text, workload.pod.namespace, beside(one.key, ports))
        if one.held is not None:  # at the first line of a ConfigMap that says it
            targets = [t for t in targets if (one.origin, target_key(t)) not in told]
            told |= {(one.origin, target_key(t)) for t in targets}
        if not targets:
            continue
        where = f"{one.origin} in {one.stands(document.where, subject, places, maps)}"
        yield from (e for t in targets if _opened(t) for e in edge_to(workload, t, where, said))
        named = [t for t in targets if not _opened(t)]
        yield from (e for t in named[:MOST_NAMED] for e in edge_to(workload, t, where, said))
        if len(named) > MOST_NAMED:
            left = len(named) - MOST_NAMED
            beyond = f"{workload.name} calls {many(left, 'more host')}, {where}"
            yield Note(f"{beyond}, that {agreeing(left, 'is', 'are')} not here", NOTHING)


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
    host = ""
    try:
        where = str(ipaddress.ip_address(target))
    except ValueError:
        where, host = "internet", target
        if target.count(".") == 1 and not is_public(f"x.{target}"):
            text = "opened as a host outside: where a Service of another namespace is meant, its manifests are not here"
            yield Note(f"{workload.name} calls {target}:{port}, {origin}: {text}")
    yield Edge(workload, where, frozenset({("TCP", port)}), f"{target}:{port}, {origin}", host)


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
        yield Edge(workload, "internet", ports_outside, f"Service {target.name}, {origin}", target.external)
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
