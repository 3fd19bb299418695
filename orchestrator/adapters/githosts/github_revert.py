"""A pull request on GitHub that takes a change back, made through the API: no clone, no push, no force.

The new commit stands on the branch's head and alters only files below the path that are still as the change left
them; what was altered again since is named in the text and left to a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.errors import DeliveryError
from orchestrator.ports import Reversal

MOST_FILES = 2000
MOST_NAMED = 20
TAKEN = 422  # GitHub's answer where a branch or a pull request stands already
File = tuple[str, str]  # mode and blob


@dataclass(frozen=True)
class _Change:
    """What the commit would hold, and what it leaves alone."""

    entries: tuple[Mapping[str, Any], ...]
    left: tuple[str, ...]


def open_revert(api: Conversation, repository: str, wanted: Reversal) -> None:
    """Each part that stands already is left as it is, so that it can be begun again anywhere."""
    root = f"repos/{repository}"
    if _pull(api, repository, wanted.branch):
        return
    head = _sha((api.get(f"{root}/git/ref/heads/{quote(wanted.base)}") or {}).get("object"))
    before = wanted.before or _parent(api, root, wanted.revision)
    if not before:
        return
    old, new, now = (_files(api, root, c, wanted.path) for c in (before, wanted.revision, head))
    change = _way_back(old, new, now, wanted.path)
    if not change.entries:
        return
    if api.get(f"{root}/git/ref/heads/{quote(wanted.branch)}", missing=True) is None:
        made = _made(api, root, head, change, wanted)
        api.send("POST", f"{root}/git/refs", {"ref": f"refs/heads/{wanted.branch}", "sha": made}, (TAKEN,))
    named = "".join(f"\n- `{path.replace('`', '')}`" for path in change.left[:MOST_NAMED])
    more = f"\n- and {len(change.left) - MOST_NAMED} more" if len(change.left) > MOST_NAMED else ""
    text = f"\n\nAltered again since, and left as they are:\n{named}{more}\n" if change.left else ""
    body = {"title": wanted.title, "head": wanted.branch, "base": wanted.base, "body": wanted.body + text}
    api.send("POST", f"{root}/pulls", body, (TAKEN,))


def _pull(api: Conversation, repository: str, branch: str) -> bool:
    """Whether it was opened before, be it closed by now: then a person has decided."""
    owner = repository.partition("/")[0]
    query = {"head": f"{owner}:{branch}", "state": "all"}
    return any(
        (p.get("head") or {}).get("ref") == branch for p in api.pages(f"repos/{repository}/pulls", query)
    )


def _parent(api: Conversation, root: str, commit: str) -> str:
    parents = (api.get(f"{root}/git/commits/{commit}") or {}).get("parents") or []
    return _sha(parents[0]) if parents else ""


def _sha(found: Any) -> str:
    sha = found.get("sha") if isinstance(found, dict) else None
    if not isinstance(sha, str) or not sha.isalnum():
        raise DeliveryError("GitHub answered without the id of an object")
    return sha


def _files(api: Conversation, root: str, commit: str, path: str) -> dict[str, File]:
    """Mode and blob of each file below the path, by its path relative to that; nothing where there is no such path."""
    tree = _sha((api.get(f"{root}/git/commits/{commit}") or {}).get("tree"))
    for part in [p for p in path.split("/") if p not in ("", ".")]:
        entries = (api.get(f"{root}/git/trees/{tree}") or {}).get("tree") or []
        inner = next((e for e in entries if e.get("path") == part and e.get("type") == "tree"), None)
        if inner is None:
            return {}
        tree = _sha(inner)
    found = api.get(f"{root}/git/trees/{tree}", {"recursive": 1}) or {}
    files = {
        str(e["path"]): (str(e["mode"]), _sha(e)) for e in found.get("tree") or [] if e.get("type") == "blob"
    }
    if found.get("truncated") or len(files) > MOST_FILES:
        raise DeliveryError(f"there are more files below {path or '.'} than can be taken back")
    return files


def _way_back(
    old: Mapping[str, File], new: Mapping[str, File], now: Mapping[str, File], path: str
) -> _Change:
    prefix = "/".join(p for p in path.split("/") if p not in ("", "."))
    entries: list[Mapping[str, Any]] = []
    left: list[str] = []
    for name in sorted({n for n in old.keys() | new.keys() if old.get(n) != new.get(n)}):
        full = f"{prefix}/{name}" if prefix else name
        if now.get(name) == old.get(name):
            continue  # it was taken back already
        if now.get(name) != new.get(name):
            left.append(full)
            continue
        mode, blob = old.get(name) or (new[name][0], None)
        entries.append({"path": full, "mode": mode, "type": "blob", "sha": blob})
    return _Change(tuple(entries), tuple(left))


def _made(api: Conversation, root: str, head: str, change: _Change, wanted: Reversal) -> str:
    """The commit, which nothing points to yet."""
    base = _sha((api.get(f"{root}/git/commits/{head}") or {}).get("tree"))
    tree = _sha(api.send("POST", f"{root}/git/trees", {"base_tree": base, "tree": list(change.entries)}).body)
    message = f"{wanted.title}\n\nThis takes back what {wanted.revision} changed below {wanted.path or '.'}."
    body = {"message": message, "tree": tree, "parents": [head]}
    return _sha(api.send("POST", f"{root}/git/commits", body).body)
