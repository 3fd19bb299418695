"""Where Traefik's own routes lead, through its TraefikServices and Middlewares, and the Middlewares of Ingresses.

Source: Traefik's API, traefik.io/v1alpha1, and traefik.containo.us/v1alpha1 before it.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.entrances import NOT_OPENED, Named, to_backend
from orchestrator.policy.definitions.entrances.fronts import class_of, fronts
from orchestrator.policy.definitions.needed import Edge, Found, Note, space_of
from orchestrator.policy.definitions.texts.addresses import edge_to
from orchestrator.policy.definitions.texts.said_targets import Said
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Workload

GROUPS = ("traefik.io/", "traefik.containo.us/")
ROUTES = ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
TRAEFIK = "traefik"
MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"  # of an Ingress
CRD = "@kubernetescrd"  # the provider, in NAMESPACE-NAME@PROVIDER
MISSHAPEN = "is not of the shape that the API has"
NOT_ASKED = "nothing is opened for what it asks"
MOST_STEPS = 100  # TraefikServices, or Middlewares, on the way of one route
MOST_BACKENDS = 200  # of one route, those of its TraefikServices among them
Key = tuple[str, str, str]  # kind, namespace and name


@dataclass(frozen=True)
class Step:
    """What a TraefikService or a Middleware leads to, what else of Traefik's it names, and the URL that it asks."""

    backends: tuple[Mapping[str, Any], ...]
    chained: tuple[Mapping[str, Any], ...] = ()
    asks: str = ""


class Steps:
    """The TraefikServices and Middlewares; of one of another shape the place where it stands."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._by_key: dict[Key, Step | str] = {}
        self._by_id: dict[str, list[Key]] = {}
        for document in documents:
            obj = document.obj
            read = {"TraefikService": _service, "Middleware": _middleware}.get(obj["kind"])
            if read is None or not _is(obj):
                continue
            key = (obj["kind"], space_of(obj), str(obj["metadata"]["name"]))
            if obj["kind"] == "Middleware" and key not in self._by_key:
                self._by_id.setdefault(_id(f"{key[1]}-{key[2]}"), []).append(key)
            try:
                self._by_key[key] = read(obj.get("spec") or {})
            except (AttributeError, KeyError, TypeError, ValueError):
                self._by_key[key] = document.where

    def step(self, key: Key) -> Step | None:
        """The one that can be followed."""
        found = self._by_key.get(key)
        return found if isinstance(found, Step) else None

    def lack(self, key: Key, absent: str) -> str:
        """Why one cannot be followed."""
        where = self._by_key.get(key)
        return f"{MISSHAPEN} ({where})" if isinstance(where, str) else absent

    def middlewares(self, reference: Mapping[str, Any], own: str) -> list[Key]:
        """Those that a reference means, several where their namespaces and names join to the same; one that may not be here."""
        name = str(reference.get("name") or "")
        if "@" not in name:
            return [("Middleware", str(reference.get("namespace") or own), name)]
        joined = _id(name.removesuffix(CRD)) if name.endswith(CRD) else ""
        return self._by_id.get(joined) or [("Middleware", "", name)]


def traefik_routes(document: Document, steps: Steps, services: Named, known: Controllers) -> Iterator[Found]:
    """What Traefik connects to for a route, and for the Middlewares of an Ingress."""
    obj = document.obj
    origin = f"{obj['kind']} {obj['metadata']['name']} in {document.where}"
    ends = list(_fronts(obj, known, origin))
    if not ends:
        return
    wanted = [(_backend(b), space_of(obj)) for rule in _rules(obj) for b in rule.get("services") or []]
    for found in _middlewares(obj, steps, origin):
        if isinstance(found, Note):
            yield found
        else:
            wanted += [(b, found[0]) for b in found[1].backends]
    followed = list(islice(_followed(wanted, steps), MOST_BACKENDS + 1))
    if len(followed) > MOST_BACKENDS:
        text = f"{origin} leads to more than {MOST_BACKENDS} backends, of which the others are not followed"
        yield Note(text, NOT_OPENED, frozenset({space_of(obj)}))
    for (kind, space, name), port in dict.fromkeys(followed[:MOST_BACKENDS]):
        if kind == "Service":
            yield from to_backend(ends, services, (space, name), port, origin)
        else:
            lack = steps.lack((kind, space, name), "is not followed")
            yield Note(
                f"{origin} leads to {kind} {space}/{name}, which {lack}", NOT_OPENED, frozenset({space})
            )


def traefik_calls(document: Document, steps: Steps, known: Controllers, said: Said) -> Iterator[Found]:
    """Whom the Middlewares of a route or an Ingress have Traefik ask whether it may let somebody in."""
    obj = document.obj
    origin = f"forwardAuth of {obj['kind']} {obj['metadata']['name']} in {document.where}"
    ends = list(_fronts(obj, known, origin))
    for found in _middlewares(obj, steps, origin) if ends else ():
        if isinstance(found, Note) or not found[1].asks:  # told with the route
            continue
        for target in said.targets("URL", found[1].asks, found[0], None):
            for end in ends:
                if isinstance(end, Workload):
                    yield from edge_to(end, target, origin, said)
                elif isinstance(end, str) and not isinstance(target[0], str):
                    at = target[0].called(target[1]).items()
                    yield from (Edge(end, w, frozenset(ports), origin) for w, ports in at if ports)


def _fronts(obj: Mapping[str, Any], known: Controllers, origin: str) -> Iterator[Workload | str | Note]:
    """The Traefik that serves an object; none where that is no route, or an Ingress without Middlewares or of others."""
    word = class_of(obj)
    if obj["kind"] in ROUTES and _is(obj):
        yield from fronts(known, word, origin, TRAEFIK)
    elif obj["kind"] == "Ingress" and _annotated(obj):
        kinds, others = known.kinds(word), known.others(TRAEFIK)
        if not kinds or any(TRAEFIK in k.words for k in kinds):
            found = [e for e in fronts(known, word, origin) if e != "internet" and e not in others]
            yield from found if any(not isinstance(e, Note) for e in found) else ()


def _annotated(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The Middlewares of an Ingress, as a route names them; its API knows no short form."""
    given = str((obj["metadata"].get("annotations") or {}).get(MIDDLEWARES) or "")
    names = [n.strip() for n in given.split(",") if n.strip()]
    return [{"name": n if "@" in n else f"{n}@kubernetes"} for n in names]


def _is(obj: Mapping[str, Any]) -> bool:
    return str(obj["apiVersion"]).startswith(GROUPS)


def _rules(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return (obj.get("spec") or {}).get("routes") or [] if obj["kind"] in ROUTES else []


def _id(text: str) -> str:
    """As Traefik writes it, which joins the words of a namespace and a name by `-`."""
    return "-".join(re.findall(r"[^\W_]+", text))


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


def _middlewares(obj: Mapping[str, Any], steps: Steps, origin: str) -> Iterator[tuple[str, Step] | Note]:
    """Those of a route or an Ingress and of their chains, each with its namespace, and what of them is not followed."""
    given = _annotated(obj) if obj["kind"] == "Ingress" else []
    if obj["kind"] == "IngressRoute":  # those of TCP ask nobody
        given = [m for rule in _rules(obj) for m in rule.get("middlewares") or []]
    own = space_of(obj)
    left, seen = deque((m, own) for m in given), set[Key]()
    while left:
        for key in steps.middlewares(*left.popleft()):
            if key in seen or key[2].endswith("@internal"):
                continue
            if len(seen) >= MOST_STEPS:
                text = (
                    f"{origin} names more than {MOST_STEPS} Middlewares, of which the others are not followed"
                )
                yield Note(text, "nothing is opened for what they ask", frozenset({own}))
                return
            seen.add(key)
            if step := steps.step(key):
                yield key[1], step
                left += [(m, key[1]) for m in step.chained]
            else:
                lack = f"{'/'.join(filter(None, key[1:]))}, which {steps.lack(key, 'is not here')}"
                text = f"{origin} names Middleware {lack if key[2] else 'without a name'}"
                yield Note(text, NOT_ASKED, frozenset({key[1] or own}))


def _followed(
    wanted: Sequence[tuple[Mapping[str, Any], str]], steps: Steps
) -> Iterator[tuple[Key, int | str | None]]:
    """Services with their ports, by way of TraefikServices; what leads no further by its own kind."""
    left, seen = deque(wanted), set[Key]()
    while left:
        backend, own = left.popleft()
        kind = str(backend.get("kind") or "Service")
        key = (kind, str(backend.get("namespace") or own), backend["name"])
        if kind != "Service" and (key in seen or key[2].endswith("@internal")):  # Traefik's own pages
            continue
        step = steps.step(key) if kind != "Service" else None
        if step is None or len(seen) >= MOST_STEPS:
            yield key, backend["port"] if kind == "Service" else None
        else:
            seen.add(key)
            left += [(b, key[1]) for b in step.backends]
