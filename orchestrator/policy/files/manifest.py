"""YAML to manifests that know their file and line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.errors import BadInput, Cited
from orchestrator.policy.files.plain_yaml import Fields
from orchestrator.policy.files.remedies import remedy
from orchestrator.policy.files.shape import misshapen
from orchestrator.policy.files.yaml_text import documents

MOST_BYTES = 1024 * 1024
MOST_OBJECTS = 5_000
_LABELS = ("metadata.labels", "metadata.annotations")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MISSPELT = re.compile(r'by "(?P<field>\S+)"')
_LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Document:
    """One object and where it begins: `path` means something to the layout, `below` stands before it for people.

    `text` is that of the file. `wrong` says which labels or annotations are none, which `obj` is without.
    """

    obj: dict[str, Any]
    path: str
    line: int
    below: str = field(default="", compare=False)
    text: bytes = field(default=b"", compare=False, repr=False)
    wrong: str = field(default="", compare=False)

    @property
    def where(self) -> str:
        """`file:line`, as people read it."""
        return f"{self.below}{self.path}:{self.line}"

    def cited(self, field: str = "") -> Cited:
        """The object's text, for an error of one of its fields: a path, or a message that names one."""
        meta = self.obj.get("metadata")
        parts = [meta.get(part) for part in ("namespace", "name")] if isinstance(meta, dict) else []
        subject = f"{self.obj.get('kind')} {'/'.join(str(p) for p in parts if p)}"
        return Cited(self.text, f"{self.below}{self.path}", self.line, field=field, subject=subject)


class Unlisted(Document):
    """Stands for all objects of a kind that a cluster does not show; `wrong` says why."""


@dataclass
class Known:
    """What was read: files by their path and text, and fields of objects. Several states of one folder share what they have in common."""

    files: dict[tuple[str, bytes], list[Document]] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)


def unlisted(api_version: str, kind: str, where: str, why: str) -> Unlisted:
    """The one of a kind: itself of another kind, so that it is taken for no policy, and without a name."""
    obj = {"apiVersion": api_version, "kind": f"{kind}List", "metadata": {"name": ""}}
    return Unlisted(obj, where, 1, wrong=why)


def parse_all(files: Mapping[str, bytes], known: Known | None = None) -> list[Document]:
    """The objects of all files, one with labels of another shape among them, unless it is a policy. Raises BadInput.

    What is `known` already is not parsed again.
    """
    known, at = known or Known(), below(files)
    found: list[Document] = []
    for path, text in files.items():
        if (same := known.files.get((path, text))) is None:
            known.files[path, text] = same = parse(text, path, at, labels=False, known=known.fields)
        elif at != (same[0].below if same else at):
            same = [replace(document, below=at) for document in same]
        found += same
    return found


def space_of(obj: Mapping[str, Any]) -> str:
    """The namespace of an object; `default` where it says none."""
    return str(obj["metadata"].get("namespace") or "default")


def below(files: Mapping[str, object]) -> str:
    """What stands before their paths for people, where they say that."""
    return str(getattr(files, "below", ""))


def parse(
    text: bytes, path: str, below: str = "", labels: bool = True, known: Fields | None = None
) -> list[Document]:
    """The objects of a file. Raises BadInput with `path:line`; anchors are written out within bounds.

    Without `labels`, those of an object that is no policy may be of any shape: it is without them, and says so.
    Fields that are `known` they share with others.
    """
    shown = f"{below}{path}"
    if len(text) > MOST_BYTES:
        raise BadInput(f"the file is larger than {MOST_BYTES // 1024} KiB", shown, "split it")
    if text.startswith(_LFS):
        raise BadInput(
            "this is a pointer of Git LFS, not the manifest itself", shown, "take manifests out of Git LFS"
        )
    found: list[Document] = []
    for document in documents(text, shown, known):
        if document.value is not None:
            place = Document(document.value, path, document.line, below, text)
            found += _objects(place, labels, document.items, document.plain)
        if len(found) > MOST_OBJECTS:
            raise BadInput(f"there are more than {MOST_OBJECTS} objects", shown, "split the file")
    return found


def parse_sound(text: bytes, path: str, below: str = "") -> tuple[list[Document], list[BadInput]]:
    """The objects of a file that can be read, and what is wrong with the others: one of them hides no other.

    After a place that is no YAML nothing more of the file is read.
    """
    found: list[Document] = []
    wrong: list[BadInput] = []
    try:
        return parse(text, path, below, labels=False), wrong
    except BadInput as error:
        if len(text) > MOST_BYTES or text.startswith(_LFS):
            return found, [error]
    try:
        for document in documents(text, f"{below}{path}"):
            try:
                place = Document(document.value, path, document.line, below, text)
                if document.value is not None:
                    found += _objects(place, False, document.items, document.plain)
            except BadInput as error:
                wrong.append(error)
            if len(found) + len(wrong) > MOST_OBJECTS:
                raise BadInput(
                    f"there are more than {MOST_OBJECTS} objects", f"{below}{path}", "split the file"
                )
    except BadInput as error:
        wrong.append(error)
    return found, wrong


def _is_kustomization(obj: Mapping[str, Any], path: str) -> bool:
    """One in a cluster, Flux's, has a name."""
    if obj.get("metadata"):
        return False
    said = str(obj.get("apiVersion", "")).startswith("kustomize.config.k8s.io/")
    return said or path.rpartition("/")[2] in _KUSTOMIZATIONS


def _objects(
    place: Document, labels: bool = True, lines: Sequence[int] = (), plain: bool = False
) -> list[Document]:
    """The object, or the items of a list, of which `lines` says where each begins; `plain` text holds nothing odd."""
    obj: Any = place.obj
    if not isinstance(obj, dict):
        hint = "it begins with apiVersion, kind and metadata"
        raise BadInput("a Kubernetes object is a mapping", place.where, hint, replace(place, obj={}).cited())
    kind = obj.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(obj.get("items"), list):
        own = (
            {"apiVersion": obj.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
        )
        items = [{**own, **item} if isinstance(item, dict) else item for item in obj["items"]]
        places = lines if len(lines) == len(items) else [place.line] * len(items)
        pairs = zip(items, places, strict=True)
        return [d for item, line in pairs for d in _objects(replace(place, obj=item, line=line), labels)]
    if _is_kustomization(obj, place.path):
        hint = "give what `kustomize build` prints, in a directory of its own"
        text = "a kustomization says how manifests are made, and is none"
        raise BadInput(text, place.where, hint, place.cited())
    wrong = next(misshapen(obj, plain), "")
    if wrong.startswith(_LABELS) and not labels and not _is_policy(obj):
        rest = {k: v for k, v in obj["metadata"].items() if k not in ("labels", "annotations")}
        bare = replace(place, obj={**obj, "metadata": rest})
        return [replace(found, wrong=wrong) for found in _objects(bare)]
    if wrong:
        text, hint = remedy(wrong)
        misspelt = _MISSPELT.search(hint)
        field = misspelt["field"] if misspelt else wrong
        raise BadInput(text, place.where, hint, place.cited(field))
    return [place]


def _is_policy(obj: dict[str, Any]) -> bool:
    return str(obj["kind"]).endswith(("NetworkPolicy", "PolicyTest"))
