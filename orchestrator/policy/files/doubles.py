"""Objects that stand twice: nobody here knows which of them a cluster gets. Each policy is told apart and counts, of others the first."""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.policy.files.manifest import Document
from orchestrator.wording import agreeing, few, many

MOST_TOLD = 20
_MOST_PLACES = 3
_COPY = "copy"  # of a policy in a Fleet: which of its name it is, from the second on
_NAMESPACED = ("NetworkPolicy", "CiliumNetworkPolicy")
_NUMBER = re.compile(r"#\d+")  # no name holds one


def title(policy: Mapping[str, Any]) -> str:
    """A policy by its name in `Fleet.lines`: `NetworkPolicy shop/db`, and `NetworkPolicy shop/db#2` where another stands before it.

    One that is not of Kubernetes says whose it is: `Calico NetworkPolicy shop/db`.
    """
    meta, number = policy["metadata"], policy.get(_COPY)
    kind = policy.get("kind", "NetworkPolicy")
    whose = f" {meta['namespace']}" if kind in _NAMESPACED and meta.get("namespace") else ""
    api = "Calico " if kind == "NetworkPolicy" and _is_calico(policy) else ""
    return f"{api}{kind}{whose}/{meta['name']}{f'#{number}' if number else ''}"


def _is_calico(policy: Mapping[str, Any]) -> bool:
    return str(policy.get("apiVersion", "")).startswith("projectcalico.org/")


def is_copy(policy: Mapping[str, Any]) -> bool:
    """Whether another one of its name stands before it."""
    return _COPY in policy


def bare(text: str) -> str:
    """A title, or what begins with one, as people read it: which of its name it is tells the place."""
    return _NUMBER.sub("", text, count=1)


@dataclass(frozen=True)
class Copy:
    """One of the policies of a name: where it stands, and what it says."""

    where: str
    spec: str

    @property
    def file(self) -> str:
        return self.where.rpartition(":")[0]


def copies(policies: Iterable[Mapping[str, Any]], lines: Mapping[str, str]) -> dict[str, dict[str, Copy]]:
    """Of each name the policies that have it, by their titles."""
    found: dict[str, dict[str, Copy]] = {}
    for policy in policies:
        name = title(policy)
        spec = json.dumps([policy.get(part) for part in ("spec", "specs")], sort_keys=True)
        found.setdefault(bare(name), {})[name] = Copy(lines.get(name, ""), spec)
    return found


def paired(before: Mapping[str, Copy], after: Mapping[str, Copy]) -> dict[str, str]:
    """Of copies of one name: which one before a change is the one that has this title afterwards.

    One that stays in its file as it is comes first, then the next one of its file, then one that was moved as it is.
    """
    found: dict[str, str] = {}
    left = dict(before)
    keys: tuple[Callable[[Copy], Hashable], ...] = (
        lambda c: (c.file, c.spec),
        lambda c: c.file,
        lambda c: c.spec,
        lambda c: "",
    )
    for key in keys:
        alike: dict[Hashable, list[str]] = {}
        for name in reversed(left):
            alike.setdefault(key(left[name]), []).append(name)
        for name, copy in after.items():
            if name not in found and (olds := alike.get(key(copy))):
                found[name] = olds.pop()
                del left[found[name]]
    return found


@dataclass
class Doubles:
    """What stands in documents by kind and name, a policy or what answers depend on."""

    _seen: dict[tuple[str, str, str, str], list[Document]] = field(default_factory=dict)
    _refused: set[int] = field(default_factory=set)  # by id, of those in `_seen`

    def add(self, document: Document, space: str = "") -> int:
        """Which one of its kind and name it is, from 1."""
        obj = document.obj
        group = obj["apiVersion"].rpartition("/")[0]
        found = self._seen.setdefault((group, obj["kind"], space, obj["metadata"]["name"]), [])
        found.append(document)
        return len(found)

    def numbered(self, policy: dict[str, Any], document: Document, valid: bool = True) -> dict[str, Any]:
        """The policy with what tells it apart; the rules of one that is not valid do not count."""
        if not valid:
            self._refused.add(id(document))
        number = self.add(document, policy["metadata"].get("namespace", ""))
        own = {k: v for k, v in policy.items() if k != _COPY}
        return {**own, _COPY: number} if number > 1 else own

    def told(self) -> Iterator[str]:
        """What to say of each; of other objects than policies only where they differ."""
        found = [
            (kind, f"{space}/{name}" if space else name, documents)
            for (_, kind, space, name), documents in self._seen.items()
            if len(documents) > 1 and (_is_policy(kind) or any(d.obj != documents[0].obj for d in documents))
        ]
        for kind, name, documents in found[:MOST_TOLD]:
            times = "twice" if len(documents) == 2 else f"{len(documents)} times"
            places = few([d.where for d in documents], _MOST_PLACES, last=", and")
            yield f"which {kind} {name} is meant, since it stands {times} ({places}): {self._end(kind, documents)}"
        if len(found) > MOST_TOLD:
            left = len(found) - MOST_TOLD
            yield f"{many(left, 'more object')} that {agreeing(left, 'stands', 'stand')} twice"

    def _end(self, kind: str, documents: Sequence[Document]) -> str:
        """Which of them the answers are of."""
        every = "both" if len(documents) == 2 else "all"
        if kind == "Service":
            return f"{every} count here"
        if not _is_policy(kind):
            return "answers are of the first"
        valid = [d for d in documents if id(d) not in self._refused]
        if len(valid) == len(documents):
            return f"the rules of {every} count here"
        if not valid:
            return "none of them is valid, and no rule of theirs counts"
        which = "one that is" if len(valid) == 1 else f"{len(valid)} that are"
        return f"the rules of the {which} valid count here"


def _is_policy(kind: str) -> bool:
    return kind.endswith("NetworkPolicy")
