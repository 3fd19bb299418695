"""A rollout with everything that belongs to it as one JSON document, and back: a v1 List, as kubectl writes it."""

from collections.abc import Collection, Mapping
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.resource import Resource, load

KINDS = ("PolicyRollout", "NamespaceRollout", "WaveAnalysis", "RolloutApproval")


def archive(state: State) -> dict[str, Any]:
    """The objects as they stand, in a fixed order, so that the same state gives the same text."""
    found: list[Resource[Any, Any]] = [state.rollout]
    found += sorted(state.namespaces.values(), key=lambda n: (n.spec.wave, n.spec.place))
    found += [state.analyses[number] for number in sorted(state.analyses)]
    found += sorted(state.approvals, key=lambda a: a.name)
    return {"apiVersion": "v1", "kind": "List", "items": [_kept(r.manifest) for r in found]}


def _kept(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Without the bookkeeping of field managers, which is long and says nothing here."""
    metadata = {k: v for k, v in manifest["metadata"].items() if k != "managedFields"}
    return {**manifest, "metadata": metadata}


def states(data: object, where: str = "", kinds: Collection[str] = KINDS) -> dict[str, State]:
    """The rollouts of a document, by name: what `archive` wrote, or a List of kubectl's. Raises BadInput.

    Of other kinds than `kinds` nothing is read: a history needs no evidence.
    """
    items = data.get("items") if isinstance(data, dict) and data.get("kind") == "List" else None
    if not isinstance(items, list) or not all(_named(item) for item in items):
        raise BadInput("this is no archive of rollouts", where, "give a file that `report -o json` wrote")
    known: dict[str, list[Resource[Any, Any]]] = {kind: [] for kind in KINDS}
    for item in items:
        if item.get("kind") in kinds:
            known[item["kind"]].append(
                load(item, f"{where} {item['kind']}/{item['metadata']['name']}".strip())
            )
    if not known["PolicyRollout"]:
        raise BadInput("there is no PolicyRollout in it", where)
    return {rollout.name: _state(rollout, known) for rollout in known["PolicyRollout"]}


def _named(item: object) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def _state(rollout: Resource[Any, Any], known: Mapping[str, list[Resource[Any, Any]]]) -> State:
    def mine(kind: str) -> list[Resource[Any, Any]]:
        return [r for r in known[kind] if r.spec.rollout == rollout.name]

    return State(
        rollout,
        {r.spec.place: r for r in mine("NamespaceRollout")},
        {r.spec.wave: r for r in mine("WaveAnalysis")},
        tuple(mine("RolloutApproval")),
    )
