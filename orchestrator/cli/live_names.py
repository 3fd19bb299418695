"""Names as they stand in the cluster and in the kubeconfig, for the shell's completion."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orchestrator.cli.app import OWN, Target
from orchestrator.cli.completions import Answer
from orchestrator.ports import Kind

if TYPE_CHECKING:
    from orchestrator.context import Context


def _rollouts(ctx: Any) -> Iterator[str]:
    """With sources, which stand for their latest ones."""
    yield from _names(ctx, "PolicyRollout")
    yield from _names(ctx, "PolicySource")


def _waves(ctx: Any) -> Iterator[str]:
    """Of rollouts under way: which of them is meant is not known while an option still wants its value."""
    from orchestrator.rollout.resources.model import API_VERSION, TERMINAL

    found = _connected(ctx)
    objects = found.cluster.list(Kind(API_VERSION, "PolicyRollout"), found.namespace)
    going = [o for o in objects if (o.get("status") or {}).get("phase") not in TERMINAL]
    yield from map(str, range(max(len(obj["spec"]["waves"]) for obj in going)))


def _kinds(ctx: Any) -> Iterator[str]:
    from orchestrator.rollout.resources.kinds import KINDS

    for names in KINDS.values():
        yield from (names.word, names.short)


def _objects(ctx: Any) -> Iterator[str]:
    """Of the kind that stands before."""
    from orchestrator.cli.rollouts.get import kind_of

    yield from _names(ctx, kind_of(str(ctx.params["what"])))


def _namespaces(ctx: Any) -> Iterator[str]:
    from orchestrator.context import NAMESPACE

    yield from (str(obj["metadata"]["name"]) for obj in _connected(ctx).cluster.list(NAMESPACE))


def _contexts(ctx: Any) -> Iterator[str]:
    """Of the kubeconfig; the cluster is not asked."""
    from orchestrator.adapters.kube.kubeconfig import contexts

    yield from contexts(str(ctx.params.get("kubeconfig") or ""))


def _names(ctx: Any, kind: str) -> Iterator[str]:
    from orchestrator.rollout.resources.model import API_VERSION

    found = _connected(ctx)
    objects = found.cluster.list(Kind(API_VERSION, kind), found.namespace)
    yield from (str(obj["metadata"]["name"]) for obj in objects)


def _connected(ctx: Any) -> Context:
    """As the command would be that is being typed: by the options that stand there already."""
    from orchestrator.cli import wiring

    own = ctx.params.get("namespace") or os.environ.get("NETPOL_CANARY_NAMESPACE") or OWN
    context, kubeconfig = (str(ctx.params.get(name) or "") for name in ("context", "kubeconfig"))
    return wiring.connected(Target(str(own), context, kubeconfig))


ANSWERS: dict[str, Answer] = {
    "contexts": _contexts,
    "freezes": lambda ctx: _names(ctx, "RolloutFreeze"),
    "kinds": _kinds,
    "namespaces": _namespaces,
    "objects": _objects,
    "rollouts": _rollouts,
    "sources": lambda ctx: _names(ctx, "PolicySource"),
    "waves": _waves,
}
