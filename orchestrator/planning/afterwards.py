"""The cluster as it stands once some of a plan is written."""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.policy.files.manifest import Document, below
from orchestrator.policy.schemas.policy_kinds import is_policy
from orchestrator.rollout.order.plan import NamespacePlan
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.places import place


def afterwards(
    standing: Sequence[Document], namespaces: Mapping[str, NamespacePlan], files: Mapping[str, bytes]
) -> Iterator[Document]:
    """Its namespaces and running pods, and its policies as they are after the change of these places."""
    changed = {
        (name, objects.key(obj)): change
        for name, item in namespaces.items()
        for change in item.changes
        for obj in (change.before, change.after)
        if obj is not None
    }
    for document in standing:
        obj = document.obj
        if (place(obj), objects.key(obj)) not in changed:
            yield document
    for change in {id(c): c for c in changed.values()}.values():
        if change.after is not None and is_policy(change.after):
            path, _, line = change.file.rpartition(":")
            number = int(line) if line.isdigit() else 1
            yield (
                Document(change.after, path, number, below(files), files.get(path, b""))
                if path
                else Document(change.after, "the repository", number)
            )
