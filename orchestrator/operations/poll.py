"""Ask for a look at a source's repository: an annotation that the controller compares in every round."""

from orchestrator.context import SOURCE, Context
from orchestrator.operations.attempts import attempts
from orchestrator.rollout.polling import REQUESTED_AT


def look(ctx: Context, source: str) -> None:
    """Set the annotation to now. Raises NotFound where the source is gone, PortError otherwise."""
    for attempt in attempts(ctx.clock):
        with attempt:
            found = ctx.cluster.get(SOURCE, source, ctx.namespace)
            meta = found["metadata"]
            now = ctx.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            annotations = {**(meta.get("annotations") or {}), REQUESTED_AT: now}
            ctx.cluster.replace({**found, "metadata": {**meta, "annotations": annotations}})
