"""Ask for a look at a source's repository: an annotation that the controller compares in every round."""

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestrator.context import SOURCE, Context
from orchestrator.errors import Conflict
from orchestrator.rollout.polling import REQUESTED_AT

ATTEMPTS = 6


def look(ctx: Context, source: str) -> None:
    """Set the annotation to now. Raises NotFound where the source is gone, PortError otherwise."""
    for attempt in Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(0.05, max=1.0),
        retry=retry_if_exception_type(Conflict),
        sleep=ctx.clock.sleep,
        reraise=True,
    ):
        with attempt:
            found = ctx.cluster.get(SOURCE, source, ctx.namespace)
            meta = found["metadata"]
            now = ctx.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            annotations = {**(meta.get("annotations") or {}), REQUESTED_AT: now}
            ctx.cluster.replace({**found, "metadata": {**meta, "annotations": annotations}})
