"""Which pod answers for a probe Job, and why what is there may not be believed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.adapters.probes.job_report import CONTAINER, Progress, progress
from orchestrator.ports import Manifest

MOST_NAMED = 3


def pod_of(pods: Sequence[Manifest], made: Mapping[str, Any]) -> tuple[Manifest | None, str]:
    """The Job's pod, None where there is none yet; and why it is not the Job controller's, empty where it may be.

    A Job makes one pod, from its template. Whoever may create pods in the namespace can make one that says it belongs to
    the Job: config/admission refuses that, and without it these are the traces that it leaves.
    """
    uid = made["metadata"]["uid"]
    mine = [p for p in pods if any(o.get("uid") == uid for o in p["metadata"].get("ownerReferences") or [])]
    if not mine:
        return None, ""
    if len(mine) > 1:
        named = ", ".join(sorted(str(p["metadata"]["name"]) for p in mine)[:MOST_NAMED])
        return mine[0], f"{len(mine)} pods claim to be that of {_place(made)} ({named}), and none is believed"
    differing = _differing(mine[0], made["spec"]["template"])
    if differing:
        name = mine[0]["metadata"]["name"]
        return mine[
            0
        ], f"the {differing} of pod {name} is not what {_place(made)} asks for: it is not believed"
    return mine[0], ""


def room(standing: Sequence[Mapping[str, Any]], pods: Sequence[Manifest], at_once: int) -> int:
    """How many more Jobs may be created, so that no node has more than so many pods that are starting.

    Where a pod will run is not known before it is scheduled: each that is not counts for every node.
    """
    nowhere, nodes = 0, Counter[str]()
    for made in standing:
        pod, doubt = pod_of(pods, made)
        state = progress(pod) if pod is not None else Progress()
        if doubt or state.started or state.ended:
            continue
        node = str(((pod or {}).get("spec") or {}).get("nodeName") or "")
        nowhere += not node
        nodes[node] += bool(node)
    return at_once - nowhere - max(nodes.values(), default=0)


def _place(made: Mapping[str, Any]) -> str:
    return f"Job {made['metadata']['namespace']}/{made['metadata']['name']}"


def _differing(pod: Manifest, template: Mapping[str, Any]) -> str:
    """What contradicts the template; what webhooks add beside it does not."""
    labels = pod["metadata"].get("labels") or {}
    wrong = [k for k, v in template["metadata"]["labels"].items() if labels.get(k) != v]
    if wrong:
        return f"label {wrong[0]}"
    spec = pod.get("spec") or {}
    if spec.get("hostNetwork") or spec.get("ephemeralContainers"):
        return "hostNetwork" if spec.get("hostNetwork") else "list of ephemeralContainers"
    (wanted,) = template["spec"]["containers"]
    containers = spec.get("containers") or []
    standing = next((c for c in containers if c.get("name") == CONTAINER), None)
    if standing is None:
        return "list of containers" if containers else ""
    for part in ("image", "command", "args"):
        if standing.get(part) != wanted.get(part):
            return part
    given = {e["name"]: e.get("value") for e in standing.get("env") or []}
    return next((f"env {e['name']}" for e in wanted["env"] if given.get(e["name"]) != e["value"]), "")
