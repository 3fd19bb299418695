"""Ingress controllers: by image, arguments, name and labels wherever they stand, and which of them serve a class."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.policy.workloads.images import among, arguments, images, variables

ROUTER = "openshift-ingress"
DEFAULT = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class Kind:
    """One sort of controller, by its pods that connect to the backends.

    `words` stand in names of its classes, `spec` begins an IngressClass's spec.controller; `images` are repositories, `names`
    those of workloads or labels. `space` is the namespace that its own manifests propose. `configured_by` is the image of what
    has the arguments where that is another pod, `beside` a word that has to stand somewhere about the pods.
    """

    words: tuple[str, ...]
    spec: tuple[str, ...]
    images: tuple[str, ...]
    names: tuple[str, ...]
    space: str
    configured_by: str = ""
    beside: str = ""


KINDS = (
    Kind(
        ("nginx",), ("k8s.io/ingress-nginx",),
        ("ingress-nginx/controller", "ingress-nginx/controller-chroot", "nginx-ingress-controller"),
        ("ingress-nginx", "ingress-nginx-controller", "rke2-ingress-nginx"), "ingress-nginx",
    ),
    Kind(
        ("nginx",), ("nginx.org/ingress-controller",), ("nginx/nginx-ingress", "nginx-plus-ingress"),
        ("nginx-ingress",), "nginx-ingress",
    ),
    Kind(("traefik",), ("traefik.io/",), ("traefik", "traefikee", "mirrored-library-traefik"), ("traefik",), "traefik"),
    Kind(
        ("haproxy",), ("haproxy.org/", "haproxy-ingress."), ("haproxytech/kubernetes-ingress", "haproxy-ingress"),
        ("haproxy", "haproxy-ingress", "kubernetes-ingress"), "haproxy-controller",
    ),
    Kind(
        ("contour",), ("projectcontour.io/",), ("envoyproxy/envoy", "envoy", "envoy-distroless"), ("contour-envoy",),
        "projectcontour", "contour", "contour",
    ),
    Kind(
        ("kong",), ("ingress-controllers.konghq.com/",), ("kong", "kong-gateway"), ("kong",), "kong",
        "kubernetes-ingress-controller",
    ),
    Kind(("istio",), ("istio.io/",), (), ("istio-ingressgateway", "ingressgateway", "istio-ingress"), "istio-system"),
    Kind(("envoy",), ("gateway.envoyproxy.io/",), (), ("envoy",), "envoy-gateway-system"),
    Kind(("ambassador",), ("getambassador.io/",), ("emissary", "ambassador"), ("ambassador", "emissary-ingress"), "ambassador"),
    Kind(("openshift",), ("openshift.io/",), (), ("openshift",), ROUTER),
)  # fmt: skip
_NAME_LABELS = ("app.kubernetes.io/name", "app", "k8s-app", "istio")
_OTHER_PARTS = ("default-backend", "defaultbackend", "admission-webhook", "operator")
_FLAG = re.compile(
    r"--?(?:controller-class|ingress[.-]class(?:-name)?|providers\.kubernetes(?:ingress|crd)\.ingressclass)(?:=(.+))?", re.I
)  # fmt: skip
_VARIABLE = re.compile(r"(CONTROLLER|INGRESS)_?(INGRESS_?)?CLASS$", re.I)
_ONLY_READERS = ("external-dns", "cert-manager-controller", "cert-manager-acmesolver")


@dataclass(frozen=True)
class Controller:
    """A workload that serves Ingresses, and the classes that its arguments say; `kind` is None where these alone are known."""

    workload: Workload
    kind: Kind | None
    classes: frozenset[str]


class Controllers:
    """Every ingress controller of a fleet, and the IngressClasses that lead to them."""

    def __init__(self, documents: Sequence[Document], fleet: Fleet, platform: Platform) -> None:
        self.fleet, self.platform = fleet, platform
        self._spec: dict[str, str] = {}
        self._default = ""
        for document in documents:
            obj = document.obj
            spec = obj.get("spec")
            if obj["kind"] == "IngressClass" and isinstance(spec, dict):
                name = str(obj["metadata"]["name"])
                self._spec[name] = str(spec.get("controller") or "")
                if (obj["metadata"].get("annotations") or {}).get(DEFAULT) == "true":
                    self._default = name

    @cached_property
    def _found(self) -> list[Controller]:
        return list(_controllers(self.fleet))

    def described(self, word: str) -> str:
        """A class, the default one where none is said, with the controller that its IngressClass names."""
        return f"{word or self._default} {self._spec.get(word or self._default, '')}".strip()

    def kinds(self, word: str, sort: str = "") -> list[Kind]:
        """The sorts of controllers that a class may mean, by its IngressClass, else by words in its name.

        `sort` is the word of those that alone serve an object, since it is of their own API: no IngressClass is asked then.
        """
        if sort:
            return [k for k in KINDS if sort in k.words]
        spec, name = self._spec.get(word or self._default, ""), (word or self._default).lower()
        by_spec = [k for k in KINDS if spec.startswith(k.spec)] if spec else []
        return by_spec or [k for k in KINDS if any(w in f"{name} {spec}".lower() for w in k.words)]

    def others(self, sort: str) -> list[Workload]:
        """The controllers that are known to be of another sort."""
        mine = (None, *self.kinds("", sort))
        return [c.workload for c in self._found if c.kind not in mine]

    def guessed(self, word: str) -> bool:
        """Whether nothing here tells which controller serves a class that is named: it may be none of those that are here."""
        name = word or self._default
        said = {name, self._spec.get(name, "")} - {""}
        return bool(name) and not (self.kinds(word) or any(said & c.classes for c in self._found))

    def serving(self, word: str, sort: str = "") -> list[Workload]:
        """The controllers that serve a class: those that say it, else those of its sort, those that say no class first.

        Everything that is a controller where nothing tells what the class means.
        """
        name = word if sort else word or self._default
        kinds = self.kinds(word, sort)
        said = [c for c in self._found if {name, self._spec.get(name, "")} & c.classes - {""}]
        said = [c for c in said if c.kind in (None, *kinds)] if sort else said
        mine = said or [c for c in self._found if c.kind in kinds]
        if not mine and not kinds and not self._spec.get(name):
            mine = self._found
        silent = [c for c in mine if not c.classes]
        return list(dict.fromkeys(c.workload for c in said or silent or mine))


def _controllers(fleet: Fleet) -> Iterator[Controller]:
    """Those that are known, with the classes of what configures them in their namespace."""
    apart: dict[tuple[str, str], set[str]] = {}
    found = []
    for workload in fleet.workloads:
        own = images(workload)
        brain = next(
            (k.configured_by for k in KINDS if k.configured_by and among(own, [k.configured_by])), ""
        )
        said = set() if among(own, _ONLY_READERS) else _classes(workload)
        if brain:
            apart.setdefault((workload.pod.namespace, brain), set()).update(said)
        kind = next((k for k in KINDS if _is(workload, own, k)), None)
        if kind is not None or (said and not brain):
            found.append((workload, kind, said))
    for workload, kind, said in found:
        more = apart.get((workload.pod.namespace, kind.configured_by), set()) if kind is not None else set()
        yield Controller(workload, kind, frozenset(said | more))


def _is(workload: Workload, own: Sequence[str], kind: Kind) -> bool:
    """By its images, else by its name and labels where it is not one of the others of its chart."""
    labels = workload.pod.labels
    part = {labels.get("app.kubernetes.io/component", ""), labels.get("component", "")}
    if part & set(_OTHER_PARTS):
        return False
    if among(own, kind.images):
        about = (workload.pod.namespace, workload.pod.name, *labels.values(), *own)
        return any(kind.beside in text for text in about)
    borne = {workload.pod.name, *(labels.get(key, "") for key in _NAME_LABELS)}
    return bool(borne & set(kind.names)) and not among(own, [kind.configured_by])


def _classes(workload: Workload) -> set[str]:
    """What its arguments and variables say, such as `--ingress-class=public` or `--controller-class k8s.io/internal`."""
    texts = arguments(workload)
    found = set()
    for number, text in enumerate(texts):
        if match := _FLAG.fullmatch(text.strip()):
            follows = texts[number + 1] if number + 1 < len(texts) else ""
            found.add(match[1] or ("" if follows.startswith("-") else follows))
    found |= {value for name, value in variables(workload) if _VARIABLE.search(name)}
    return found - {""}
