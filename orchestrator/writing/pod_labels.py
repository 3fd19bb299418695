"""The label by which some pods come first: set before the baseline of their wave, removed once all pods are where they are.

It is put on ready pods of workloads that have more of them, and goes with its pod. Nothing but the policies of a wave selects by it.
"""

import json
from collections.abc import Iterator, Sequence

import structlog

from orchestrator.adapters.kube.workloads import documents
from orchestrator.context import POD, ROLLOUT, Context
from orchestrator.errors import Conflict, Forbidden, NotFound, RetryLater
from orchestrator.planning.touched_pods import TouchedPods
from orchestrator.ports import Manifest
from orchestrator.rollout.next import State
from orchestrator.rollout.order.write_path import tag
from orchestrator.rollout.order.write_turns import by_record
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import CANARY_LABEL, PROBE_LABEL
from orchestrator.wording import few


def label(ctx: Context, state: State, wave: int) -> str:
    """Label the pods of a wave; why it would try nothing, in words, where no pod bears the label then."""
    named, borne = [], 0
    for name, value in _labelled(state.rollout.spec.waves[wave]):
        named.append(name)
        borne += _label(ctx, state, name, value)
    return f"no pod of {few(named, 5)} could be labelled as a canary" if named and not borne else ""


def _labelled(wave: m.Wave) -> Iterator[tuple[str, str]]:
    """The namespaces in which a wave is for pods with the label, and its value."""
    found: dict[str, str] = {}
    for place in wave.namespaces:
        for value in (one.value for one in place.pods if one.key == CANARY_LABEL):
            found |= dict.fromkeys(place.covers or [place.name], value)
    yield from found.items()


def _label(ctx: Context, state: State, namespace: str, value: str) -> int:
    """How many pods bear it then."""
    plan, borne = state.rollout.spec.strategy.canary_pods, 0
    for pods in TouchedPods(list(documents(ctx.cluster))).ready(_policies(state), namespace):
        mine = [pod for pod in pods if _value(pod) == value]
        left = [pod for pod in pods if _value(pod) is None]
        chosen = left[: max(plan.of(len(pods)) - len(mine), 0)]
        for pod in chosen:
            _put(ctx, pod, value)
        borne += len(mine) + len(chosen)
    return borne


def _policies(state: State) -> list[Manifest]:
    """Whatever any wave writes: no wave alone knows all that the change is about."""
    specs = (item.spec for items in by_record(state) for item in items)
    return [json.loads(text) for spec in specs for text in (*spec.before, *spec.after)]


def _value(pod: Manifest) -> str | None:
    found = (pod["metadata"].get("labels") or {}).get(CANARY_LABEL)
    return None if found is None else str(found)


def remove(ctx: Context, waves: Sequence[m.Wave]) -> None:
    """Take the label off every pod that bears it for one of some waves. Raises RetryLater where one changes meanwhile.

    What may not be taken off selects nothing by now, and stops nothing: it is named in the log.
    """
    for namespace, value in {pair for wave in waves for pair in _labelled(wave)}:
        for pod in ctx.cluster.list(POD, namespace, f"{CANARY_LABEL}={value}"):
            if not _imitates(pod):
                _take_off(ctx, pod)


def _take_off(ctx: Context, pod: Manifest) -> bool:
    """Whether it is off; one that may not be changed holds up no other."""
    try:
        _put(ctx, pod, None)
    except Forbidden as error:
        meta = pod["metadata"]
        structlog.get_logger().warning(
            "a pod keeps the label of a canary",
            namespace=meta["namespace"],
            pod=meta["name"],
            error=str(error),
        )
        return False
    return True


def borne(ctx: Context, wave: m.Wave) -> list[str]:
    """The pods that a wave is for, as namespace/name, where it is not for all of a namespace."""
    found = []
    for place in wave.namespaces:
        labels = ",".join(f"{one.key}={one.value}" for one in place.pods)
        for name in (place.covers or [place.name]) if labels else ():
            pods = ctx.cluster.list(POD, name, labels)
            found += [f"{name}/{pod['metadata']['name']}" for pod in pods if not _imitates(pod)]
    return sorted(set(found))


def lost(ctx: Context, state: State, wave: int) -> str:
    """Why a wave that is for some pods tries nothing any more, in words: they all went. Others get the label where that is ours."""
    written = state.rollout.spec.waves[wave]
    if not any(place.pods for place in written.namespaces) or borne(ctx, written):
        return ""
    if any(_labelled(written)) and not label(ctx, state, wave):
        return ""
    return "the pods to which the change came first are gone, so nobody knows whether it is good"


def _imitates(pod: Manifest) -> bool:
    """A probe's pod, which has the labels of another and ends by itself."""
    return PROBE_LABEL in (pod["metadata"].get("labels") or {})


def _put(ctx: Context, pod: Manifest, value: str | None) -> None:
    ctx.fence()
    try:
        fresh = ctx.cluster.get(POD, pod["metadata"]["name"], pod["metadata"]["namespace"])
        if fresh["metadata"].get("uid") != pod["metadata"].get("uid"):
            return
        labels = {k: v for k, v in (fresh["metadata"].get("labels") or {}).items() if k != CANARY_LABEL}
        labels |= {} if value is None else {CANARY_LABEL: value}
        ctx.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "labels": labels}})
    except NotFound:
        return
    except Conflict as error:
        raise RetryLater(str(error), 0.2) from None


def sweep(ctx: Context) -> int:
    """Take it off pods for which no rollout of their source is on its way any more; how many these were."""
    try:
        pods = ctx.cluster.list(POD, labels=CANARY_LABEL)
    except Forbidden:  # whoever may list none may label none either
        return 0
    if not pods:
        return 0
    running = (r for r in ctx.cluster.list(ROLLOUT) if (r.get("status") or {}).get("phase") not in m.TERMINAL)
    used = {tag(str(r["spec"].get("source"))) for r in running}
    left = [pod for pod in pods if _value(pod) not in used and not _imitates(pod)]
    off = [pod["metadata"] for pod in left if _take_off(ctx, pod)]
    for meta in off:
        structlog.get_logger().warning(
            "a label of a canary was left", namespace=meta["namespace"], pod=meta["name"]
        )
    return len(off)
