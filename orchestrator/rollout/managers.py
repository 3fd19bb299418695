"""Who else manages an object: read from its labels, annotations, owners and field managers; never written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.rollout.resources.objects import MANAGER

ARGO, FLUX, HELM, KUBECTL = "Argo CD", "Flux", "Helm", "kubectl"
FIGHTING = frozenset({ARGO, FLUX})  # what reverts an object by itself, where it is told to

# How field managers are called by the tools' own documentation; the beginning of the name decides.
_MANAGERS = (
    ("argocd", ARGO),
    ("kustomize-controller", FLUX),
    ("helm-controller", FLUX),
    ("helm", HELM),
    ("kubectl", KUBECTL),
)
_ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
_ARGO_INSTANCE = "argocd.argoproj.io/instance"
_INSTANCE = "app.kubernetes.io/instance"
_FLUX = (("Kustomization", "kustomize.toolkit.fluxcd.io"), ("HelmRelease", "helm.toolkit.fluxcd.io"))
_HELM_RELEASE, _HELM_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class Other:
    """`tool` with what of it (an application, a release, a field manager), and when it last wrote, where known."""

    tool: str
    what: str = ""
    last: str = ""

    @property
    def fights(self) -> bool:
        """Whether it may revert what anybody else writes."""
        return self.tool in FIGHTING

    @property
    def text(self) -> str:
        told = ", ".join(t for t in (self.what, f"last wrote {self.last}" if self.last else "") if t)
        return f"{self.tool} ({told})" if told else self.tool


def others(obj: Mapping[str, Any]) -> tuple[Other, ...]:
    """Those who may fight first, then whoever wrote last; empty where nothing on the object names anybody."""
    wrote: dict[str, tuple[str, str]] = {}
    for tool, manager, time in _writers(obj):
        if time >= wrote.get(tool, ("", ""))[1]:
            wrote[tool] = (manager, time)
    marks: dict[str, str] = {}
    for tool, what in _marks(obj, ARGO in wrote):
        marks.setdefault(tool, what)
    found = [
        Other(
            tool,
            marks.get(tool) or _distinct(wrote.get(tool, ("", ""))[0], tool),
            wrote.get(tool, ("", ""))[1],
        )
        for tool in dict.fromkeys([*marks, *wrote])
    ]
    found.sort(key=lambda o: o.last, reverse=True)
    return tuple(sorted(found, key=lambda o: not o.fights))


def last_writer(obj: Mapping[str, Any]) -> Other | None:
    """Who wrote last, other than this program; None where the object names nobody."""
    wrote = sorted(_writers(obj), key=lambda w: w[2])
    if not wrote:
        return None
    tool, manager, time = wrote[-1]
    return Other(tool, _distinct(manager, tool), time)


def told(found: tuple[Other, ...]) -> str:
    """For people."""
    return ", ".join(o.text for o in found[:3]) or "somebody who left no mark on it"


def _distinct(manager: str, tool: str) -> str:
    return "" if manager == tool else f"field manager {manager}" if manager else ""


def _writers(obj: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Tool, field manager and time of each writer but this program."""
    for entry in obj["metadata"].get("managedFields") or []:
        manager = str(entry.get("manager", ""))
        if not manager or manager == MANAGER or entry.get("subresource"):
            continue
        tool = next((tool for start, tool in _MANAGERS if manager.startswith(start)), manager)
        yield tool, manager, str(entry.get("time", ""))


def _marks(obj: Mapping[str, Any], argo_wrote: bool) -> Iterator[tuple[str, str]]:
    """Tool, and what of it, from labels, annotations and owners."""
    meta = obj["metadata"]
    labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    tracked = str(notes.get(_ARGO_TRACKING, "")).partition(":")[0] or labels.get(_ARGO_INSTANCE, "")
    tracked = tracked or (labels.get(_INSTANCE, "") if argo_wrote else "")
    if tracked:
        yield ARGO, f"application {tracked}"
    for kind, group in _FLUX:
        if name := labels.get(f"{group}/name"):
            yield FLUX, f"{kind} {labels.get(f'{group}/namespace', '')}/{name}"
    if release := notes.get(_HELM_RELEASE):
        yield HELM, f"release {notes.get(_HELM_NAMESPACE, '')}/{release}"
    if _LAST_APPLIED in notes:
        yield KUBECTL, ""
    for owner in meta.get("ownerReferences") or []:
        if owner.get("controller"):
            yield f"{owner.get('kind', '')} {owner.get('name', '')}", ""
