"""Rollouts as the API server has them, the newest first: of thousands, only those that are shown are read whole."""

from orchestrator.context import ROLLOUT, Context
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.objects import age


def rows(ctx: Context, source: str = "", namespace: str = "", phase: str = "") -> list[Manifest]:
    """Those of a source, that change a namespace, in a phase; of any where that is empty."""
    found = [o for o in ctx.cluster.list(ROLLOUT, ctx.namespace) if _like(o, source, namespace, phase)]
    return sorted(found, key=age, reverse=True)


def _like(obj: Manifest, source: str, namespace: str, phase: str) -> bool:
    spec, status = part_of(obj, "spec"), part_of(obj, "status")
    if source and spec.get("source") != source:
        return False
    if phase and status.get("phase", "Pending") != phase:
        return False
    return not namespace or namespace in namespaces_of(spec)


def part_of(obj: Manifest, name: str) -> Manifest:
    """A mapping within it; an empty one where there is none."""
    found = obj.get(name)
    return found if isinstance(found, dict) else {}


def namespaces_of(spec: Manifest) -> set[str]:
    """Those of all waves; of a spec of another shape, those that can be read."""
    waves = spec.get("waves")
    lists = [w.get("namespaces") for w in waves if isinstance(w, dict)] if isinstance(waves, list) else []
    found = [n for names in lists if isinstance(names, list) for n in names if isinstance(n, dict)]
    return {str(n.get("name")) for n in found}
