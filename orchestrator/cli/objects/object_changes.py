"""What becomes of objects, as `get -w` follows it."""

from collections.abc import Callable, Iterable, Iterator

from orchestrator.errors import Gone
from orchestrator.ports import Cluster, Kind, Manifest

SECONDS = 300.0  # that one watch is asked for; it is asked for again


def changes(
    cluster: Cluster,
    kind: Kind,
    namespace: str | None,
    labels: str,
    names: Iterable[str],
    known: Iterable[Manifest],
    pause: Callable[[], None],
) -> Iterator[Manifest]:
    """Each object as it is after a change, the deleted ones as they were last; `known` have been seen. Without end.

    `pause` is called before a watch that has ended is asked for again.
    """
    wanted = frozenset(names)
    seen = {_uid(obj): _version(obj) for obj in known}

    while True:
        try:
            for event in cluster.watch(kind, namespace, labels, seconds=SECONDS):
                obj = event.obj
                if wanted and obj["metadata"]["name"] not in wanted:
                    continue
                if event.type == "DELETED":
                    seen.pop(_uid(obj), None)
                    yield obj
                elif seen.get(_uid(obj)) != _version(obj):
                    seen[_uid(obj)] = _version(obj)
                    yield obj
        except Gone:
            pass  # the next one begins with what stands then
        pause()


def _uid(obj: Manifest) -> str:
    return str(obj["metadata"].get("uid", ""))


def _version(obj: Manifest) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))
