"""What has a name that holds what was asked for, each kind read with the viewer's own rights."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from orchestrator.context import NAMESPACE, Context
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.objects import owner
from orchestrator.server.pages import read
from orchestrator.server.pages.standing.listed_policies import kinds_of, listed
from orchestrator.server.pages.standing.rollout_rows import namespaces_of, part_of, rows
from orchestrator.server.pages.standing.source_state import address, state_of

MOST_ASKED = 253  # characters: what a name may have
MOST_FOUND = 20  # of each kind
LEAST_COMMIT = 4  # digits by which a commit is meant


@dataclass(frozen=True)
class Find:
    """One thing: its name, what is to be said of it, and its page."""

    name: str
    said: str
    page: str


@dataclass(frozen=True)
class Group:
    """The finds of one kind, the nearest first; `hidden` says what was not searched, empty where everything was."""

    title: str
    finds: tuple[Find, ...]
    more: int
    hidden: str = ""


def find(ctx: Context, asked: str) -> list[Group]:
    """In the order of the page. Raises Forbidden where sources or rollouts may not be read."""
    sources, rollouts = read.sources(ctx), rows(ctx)
    hidden_names, names = listed(ctx, [NAMESPACE])
    hidden_policies, policies = listed(ctx, kinds_of(sources))
    return [
        _group("Sources", asked, map(_source, sources)),
        _group("Namespaces", asked, _namespaces(sources, rollouts, names), _unsearched(hidden_names)),
        _group("Rollouts", asked, map(_rollout, rollouts)),
        _group("Policies", asked, map(_policy, policies), _unsearched(hidden_policies)),
        _group("Commits", asked, _commits(sources, rollouts), matches=_of_commit),
    ]


Matches = Callable[[Find, str], bool]


def _in_name(found: Find, asked: str) -> bool:
    return asked in found.name.lower()


def _of_commit(found: Find, asked: str) -> bool:
    """By its first digits, or by its subject."""
    return (len(asked) >= LEAST_COMMIT and found.name.startswith(asked)) or asked in found.said.lower()


def _group(
    title: str, asked: str, given: Iterable[Find], hidden: str = "", matches: Matches = _in_name
) -> Group:
    """The same name first, then names that begin with it, else in the order in which they came."""
    wanted = asked.lower()
    found = [item for item in given if matches(item, wanted)]
    found.sort(key=lambda item: (item.name.lower() != wanted, not item.name.lower().startswith(wanted)))
    return Group(title, tuple(found[:MOST_FOUND]), max(0, len(found) - MOST_FOUND), hidden)


def _unsearched(hidden: Sequence[str]) -> str:
    return f"you may not list {' and '.join(hidden)} in all namespaces" if hidden else ""


def _source(source: read.Standing) -> Find:
    _, word, _ = state_of(source)
    where = f", {address(source.spec.git.url)}" if source.spec else ""
    return Find(source.name, f"{word}{where}", f"/sources#source-{quote(source.name, safe='')}")


def _namespaces(
    sources: Iterable[read.Standing], rollouts: Iterable[Manifest], listed: Iterable[Manifest]
) -> Iterator[Find]:
    whose: dict[str, list[str]] = {str(obj["metadata"]["name"]): [] for obj in listed}
    for source in sources:
        for name in source.status.current_revision_namespaces:
            whose.setdefault(name, []).append(source.name)
    for obj in rollouts:
        for name in namespaces_of(part_of(obj, "spec")):
            whose.setdefault(name, [])
    for name, owners in sorted(whose.items()):
        said = f"of {', '.join(owners)}" if owners else "of no source"
        yield Find(name, said, f"/namespaces/{quote(name, safe='')}")


def _rollout(obj: Manifest) -> Find:
    name, spec = str(obj["metadata"]["name"]), part_of(obj, "spec")
    phase = part_of(obj, "status").get("phase", "Pending")
    return Find(name, f"{phase}: {_subject(spec)}", f"/rollouts/{quote(name, safe='')}")


def _policy(obj: Manifest) -> Find:
    meta = obj["metadata"]
    space, source = str(meta.get("namespace", "")), owner(obj)
    said = f"{obj['kind']}, of {source}" if source else f"{obj['kind']}, of no source"
    return Find(f"{space}/{meta['name']}", said, f"/namespaces/{quote(space, safe='')}")


def _commits(sources: Iterable[read.Standing], rollouts: Iterable[Manifest]) -> Iterator[Find]:
    """Each once: with the newest rollout that brought it, else with the source in which it stands."""
    seen: set[str] = set()
    for obj in rollouts:
        spec = part_of(obj, "spec")
        if (revision := str(spec.get("revision", ""))) not in seen:
            seen.add(revision)
            query = urlencode({"commit": revision, "source": str(spec.get("source", ""))})
            yield Find(revision, _subject(spec), f"/history?{query}")
    for source in sources:
        status = source.status
        for word, revision in (("in force", status.current_revision), ("blocked", status.blocked_revision)):
            if revision and revision not in seen:
                seen.add(revision)
                page = f"/sources#source-{quote(source.name, safe='')}"
                yield Find(revision, f"{word} in {source.name}", page)


def _subject(spec: Mapping[str, object]) -> str:
    """Its newest commit's, and whose the change is."""
    authors = spec.get("authors")
    people = [str(a).removeprefix("user:") for a in authors] if isinstance(authors, list) else []
    return ", ".join([str(spec.get("subject") or "no subject is known"), *people[:3]])
