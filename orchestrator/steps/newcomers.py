"""Namespaces that a source selects since its last verified rollout, and that hold nothing of it yet."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.ports import Kind
from orchestrator.rollout.objects import SOURCE_LABEL
from orchestrator.rollout.resource import Rollout, Source
from orchestrator.rollout.stamps import stamp
from orchestrator.steps.context import Context
from orchestrator.steps.planning import selected
from orchestrator.steps.reached import begun

MOST_NAMED = 5


def newcomers(ctx: Context, source: Source, rollouts: Sequence[Rollout]) -> frozenset[str]:
    """Empty where nothing was ever verified; a namespace that was rolled back does not start again."""
    return unreached(ctx, source, rollouts) - refused(source, rollouts)


def unreached(ctx: Context, source: Source, rollouts: Sequence[Rollout]) -> frozenset[str]:
    """Those that were created, or selected, since the last verified rollout began and hold nothing of the source."""
    verified = next((r for r in rollouts if r.name == source.status.verified_rollout), None)
    since = begun(verified) if verified else source.status.verified_since
    if since is None:
        return frozenset()
    known = frozenset(verified.spec.selected if verified else source.status.verified_namespaces)
    made = {n: stamp(o["metadata"].get("creationTimestamp")) for n, o in selected(ctx, source).items()}
    fresh = {n for n, at in made.items() if (at is not None and at > since) or (known and n not in known)}
    return _empty(ctx, source, frozenset(fresh)) if fresh else frozenset()


def left_out(ctx: Context, source: Source, rollouts: Sequence[Rollout]) -> str:
    """For people: which namespaces stand without the verified revision since it was rolled back there, and what helps."""
    last: dict[str, Rollout] = {}
    for rollout in sorted(rollouts, key=_age):
        if rollout.spec.source == source.name and rollout.spec.revision == source.status.verified_revision:
            last |= dict.fromkeys(_names(rollout), rollout)
    left = {n: r for n, r in last.items() if r.spec.cause == "namespaces" and _refusing(source, r)}
    names = sorted(_empty(ctx, source, frozenset(left) & selected(ctx, source).keys())) if left else []
    if not names:
        return ""
    back = sorted({left[name].name for name in names})
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    hint = f"a new revision, or `kubectl delete policyrollout {' '.join(back[:MOST_NAMED])}`, lets it be tried again"
    by = ", ".join(back[:MOST_NAMED])
    return f"but not in {', '.join(names[:MOST_NAMED])}{more}: rolled back by {by}; {hint}"


def _age(rollout: Rollout) -> tuple[str, int, str]:
    made = str(rollout.manifest["metadata"].get("creationTimestamp", ""))
    return made, len(rollout.name), rollout.name


def _empty(ctx: Context, source: Source, names: frozenset[str]) -> frozenset[str]:
    """Those that hold nothing of the source."""
    for kind in source.spec.kinds:
        held = ctx.cluster.list(Kind(kind.api_version, kind.kind), labels=f"{SOURCE_LABEL}={source.name}")
        names -= {str(o["metadata"]["namespace"]) for o in held}
    return names


def refused(source: Source, rollouts: Sequence[Rollout], removals: bool = False) -> frozenset[str]:
    """Namespaces in which the verified revision itself was rolled back, other than to make room for a newer one.

    With `removals`, those from which it was to be removed.
    """
    found = (_names(r) for r in rollouts if _refusing(source, r, removals))
    return frozenset(name for names in found for name in names)


def _refusing(source: Source, rollout: Rollout, removals: bool = False) -> bool:
    return (
        rollout.spec.source == source.name
        and rollout.status.phase in ("RolledBack", "Failed")
        and rollout.spec.revision == source.status.verified_revision
        and (rollout.spec.cause == "orphans") == removals
        and all(t.reason != "Superseded" for t in rollout.status.transitions)
    )


def _names(rollout: Rollout) -> frozenset[str]:
    return frozenset(n.name for wave in rollout.spec.waves for n in wave.namespaces)
