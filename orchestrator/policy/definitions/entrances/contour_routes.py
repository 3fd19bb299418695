"""Where Contour's HTTPProxies lead, from those with a virtual host down to what they include.

Source: Contour's API, projectcontour.io/v1 HTTPProxy, v1alpha1 ExtensionService.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.entrances import NOT_OPENED, Named, to_backend
from orchestrator.policy.definitions.entrances.fronts import class_of, fronts
from orchestrator.policy.definitions.needed import Found, Note, space_of
from orchestrator.policy.files.manifest import Document

GROUP = "projectcontour.io/"
CONTOUR = "contour"
MOST_INCLUDING = 1_000  # HTTPProxies above one
Key = tuple[str, str]


class Included:
    """Which HTTPProxies include which, and the classes of those that have a virtual host.

    `odd` are those of which it is not known what they include.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._by: dict[Key, list[Key]] = {}
        self._classes: dict[Key, str] = {}
        self._here: set[Key] = set()
        self.odd: list[str] = []
        for document in (d for d in documents if _is(d.obj, "HTTPProxy")):
            obj = document.obj
            key = (space_of(obj), str(obj["metadata"]["name"]))
            self._here.add(key)
            try:
                if (obj.get("spec") or {}).get("virtualhost"):
                    self._classes[key] = _class(obj)
                for other in dict.fromkeys(_includes(obj)):
                    self._by.setdefault(other, []).append(key)
            except (AttributeError, TypeError):
                self.odd.append(f"HTTPProxy {key[0]}/{key[1]} ({document.where})")

    def classes(self, obj: Mapping[str, Any]) -> list[str]:
        """Those of the virtual hosts that lead to it; empty where there is no such one."""
        left = deque([(space_of(obj), str(obj["metadata"]["name"]))])
        seen = set(left)
        while left and len(seen) < MOST_INCLUDING:
            above = [k for k in self._by.get(left.popleft(), ()) if k not in seen]
            seen |= set(above)
            left += above
        return sorted({self._classes[key] for key in seen if key in self._classes})

    def absent(self, obj: Mapping[str, Any]) -> list[Key]:
        """What it includes that is not here, an empty name where it says none."""
        return [key for key in dict.fromkeys(_includes(obj)) if key not in self._here]


def contour_routes(
    document: Document, included: Included, services: Named, known: Controllers
) -> Iterator[Found]:
    """What Contour's Envoys connect to for an HTTPProxy."""
    obj = document.obj
    if not _is(obj, "HTTPProxy"):
        return
    origin = f"HTTPProxy {obj['metadata']['name']} in {document.where}"
    classes = included.classes(obj)
    if not classes:
        text = f"{origin} has no virtual host, and no HTTPProxy here that has one includes it"
        if included.odd:
            odd = ", ".join(included.odd[:3])
            text += f"; what {odd} includes is not known (not of the shape that the API has)"
        yield Note(text, NOT_OPENED, frozenset({space_of(obj)}))
        return
    for space, name in included.absent(obj):
        absent = f"HTTPProxy {space}/{name}, which is not here" if name else "an HTTPProxy without a name"
        text = f"{origin} includes {absent}"
        yield Note(text, NOT_OPENED, frozenset({space}))
    ends = list(dict.fromkeys(end for word in classes for end in fronts(known, word, origin, CONTOUR)))
    spec = obj.get("spec") or {}
    routes = [*(spec.get("routes") or []), spec.get("tcpproxy") or {}]
    yield from _to_services([s for r in routes for s in r.get("services") or []], ends, services, obj, origin)


def contour_calls(document: Document, services: Named, known: Controllers) -> Iterator[Found]:
    """What Contour's Envoys ask whether they may let somebody in, and how often."""
    obj = document.obj
    if not _is(obj, "ExtensionService"):
        return
    origin = f"ExtensionService {obj['metadata']['name']} in {document.where}"
    ends = list(fronts(known, _class(obj), origin, CONTOUR))
    asked = (obj.get("spec") or {}).get("services") or []
    yield from _to_services(asked, ends, services, obj, origin)


def _to_services(
    wanted: Sequence[Mapping[str, Any]], ends: Any, services: Named, obj: Mapping[str, Any], origin: str
) -> Iterator[Found]:
    for name, port in dict.fromkeys((str(s["name"]), s.get("port")) for s in wanted):
        yield from to_backend(ends, services, (space_of(obj), name), port, origin)


def _includes(obj: Mapping[str, Any]) -> Iterator[Key]:
    spec = obj.get("spec") or {}
    tcp = spec.get("tcpproxy") or {}
    for one in [*(spec.get("includes") or []), tcp.get("include") or {}, tcp.get("includes") or {}]:
        if one:
            yield str(one.get("namespace") or space_of(obj)), str(one.get("name") or "")


def _class(obj: Mapping[str, Any]) -> str:
    own = (obj["metadata"].get("annotations") or {}).get("projectcontour.io/ingress.class")
    return str(own or class_of(obj))


def _is(obj: Mapping[str, Any], kind: str) -> bool:
    return bool(obj["kind"] == kind and str(obj["apiVersion"]).startswith(GROUP))
