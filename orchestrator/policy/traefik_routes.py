"""Where Traefik's own routes lead: IngressRoutes for HTTP, TCP and UDP, through its TraefikServices and Middlewares.

Source: Traefik's API, traefik.io/v1alpha1, and traefik.containo.us/v1alpha1 before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from orchestrator.policy.addresses import edge_to
from orchestrator.policy.controllers import Controllers
from orchestrator.policy.entrances import NOT_OPENED, Named, to_backend
from orchestrator.policy.fleet import Workload
from orchestrator.policy.fronts import class_of, fronts
from orchestrator.policy.manifest import Document
from orchestrator.policy.needed import Found, Note, space_of
from orchestrator.policy.said_targets import Said

GROUPS = ("traefik.io/", "traefik.containo.us/")
ROUTES = ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
TRAEFIK = "traefik"
MOST_STEPS = 100  # TraefikServices, or Middlewares, on the way of one route
MOST_BACKENDS = 200  # of one route, those of its TraefikServices among them
Key = tuple[str, str, str]  # kind, namespace and name


@dataclass(frozen=True)
class Step:
    """What a TraefikService or a Middleware leads to, what else of Traefik's it names, and the URL that it asks."""

    backends: tuple[Mapping[str, Any], ...]
    chained: tuple[Mapping[str, Any], ...] = ()
    asks: str = ""


def traefik_steps(documents: Sequence[Document]) -> dict[Key, Step]:
    """The TraefikServices and Middlewares; one of another shape is not among them."""
    found = {}
    for obj in (d.obj for d in documents):
        read = {"TraefikService": _service, "Middleware": _middleware}.get(obj["kind"])
        if read is not None and _is(obj):
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                found[obj["kind"], space_of(obj), str(obj["metadata"]["name"])] = read(obj.get("spec") or {})
    return found


def traefik_routes(
    document: Document, steps: Mapping[Key, Step], services: Named, known: Controllers
) -> Iterator[Found]:
    """What Traefik connects to for a route."""
    obj = document.obj
    if obj["kind"] not in ROUTES or not _is(obj):
        return
    origin = f"{obj['kind']} {obj['metadata']['name']} in {document.where}"
    ends = list(fronts(known, class_of(obj), origin, TRAEFIK))
    wanted = [(_backend(b), space_of(obj)) for rule in _rules(obj) for b in rule.get("services") or []]
    wanted += [(b, space) for space, step in _middlewares(obj, steps) for b in step.backends]
    followed = list(islice(_followed(wanted, steps), MOST_BACKENDS + 1))
    if len(followed) > MOST_BACKENDS:
        text = f"{origin} leads to more than {MOST_BACKENDS} backends, of which the others are not followed"
        yield Note(text, NOT_OPENED, frozenset({space_of(obj)}))
    for (kind, space, name), port in dict.fromkeys(followed[:MOST_BACKENDS]):
        if kind == "Service":
            yield from to_backend(ends, services, (space, name), port, origin)
        else:
            text = f"{origin} leads to {kind} {space}/{name}, which is not followed"
            yield Note(text, NOT_OPENED, frozenset({space}))


def traefik_calls(
    document: Document, steps: Mapping[Key, Step], known: Controllers, said: Said
) -> Iterator[Found]:
    """Whom a route's Middlewares have Traefik ask whether it may let somebody in."""
    obj = document.obj
    if obj["kind"] not in ROUTES or not _is(obj):
        return
    origin = f"forwardAuth of {obj['kind']} {obj['metadata']['name']} in {document.where}"
    here = [end for end in fronts(known, class_of(obj), origin, TRAEFIK) if isinstance(end, Workload)]
    for space, step in _middlewares(obj, steps):
        for target in said.targets("URL", step.asks, space, None) if step.asks else ():
            yield from (found for end in here for found in edge_to(end, target, origin, said))


def _is(obj: Mapping[str, Any]) -> bool:
    return str(obj["apiVersion"]).startswith(GROUPS)


def _rules(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return (obj.get("spec") or {}).get("routes") or []


def _service(spec: Mapping[str, Any]) -> Step:
    """Weighted, by a hash, or one with its mirrors."""
    found = [
        b for way in ("weighted", "highestRandomWeight") for b in (spec.get(way) or {}).get("services") or []
    ]
    mirroring = spec.get("mirroring") or {}
    found += [mirroring] if mirroring.get("name") else []
    return Step(tuple(_backend(b) for b in [*found, *(mirroring.get("mirrors") or [])]))


def _middleware(spec: Mapping[str, Any]) -> Step:
    errors = (spec.get("errors") or {}).get("service")
    chained = tuple({**m} for m in (spec.get("chain") or {}).get("middlewares") or [])
    asks = str((spec.get("forwardAuth") or {}).get("address") or "")
    return Step((_backend(errors),) if errors else (), chained, asks)


def _backend(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the port as it is compared: a number that is written as a text is that number. Raises TypeError, KeyError."""
    port = given.get("port")
    if port is not None and not isinstance(port, int | str):
        raise TypeError(f"port {port}")
    text = str(port)
    return {
        **given,
        "name": str(given["name"]),
        "port": int(text) if text.isascii() and text.isdigit() else port,
    }


def _middlewares(obj: Mapping[str, Any], steps: Mapping[Key, Step]) -> Iterator[tuple[str, Step]]:
    """Those of a route that are here, and of its chains, each with its namespace."""
    left = deque((m, space_of(obj)) for rule in _rules(obj) for m in rule.get("middlewares") or [])
    seen: set[Key] = set()
    while left and len(seen) < MOST_STEPS:
        reference, own = left.popleft()
        key = ("Middleware", str(reference.get("namespace") or own), str(reference.get("name")))
        if key in steps and key not in seen:
            seen.add(key)
            yield key[1], steps[key]
            left += [(m, key[1]) for m in steps[key].chained]


def _followed(
    wanted: Sequence[tuple[Mapping[str, Any], str]], steps: Mapping[Key, Step]
) -> Iterator[tuple[Key, int | str | None]]:
    """Services with their ports, by way of TraefikServices; what leads no further by its own kind."""
    left, seen = deque(wanted), set[Key]()
    while left:
        backend, own = left.popleft()
        kind = str(backend.get("kind") or "Service")
        key = (kind, str(backend.get("namespace") or own), backend["name"])
        if kind != "Service" and (key in seen or key[2].endswith("@internal")):  # Traefik's own pages
            continue
        if kind == "Service" or key not in steps or len(seen) >= MOST_STEPS:
            yield key, backend["port"] if kind == "Service" else None
        else:
            seen.add(key)
            left += [(b, key[1]) for b in steps[key].backends]
