"""Take off a rollout's outbox what was told to a receiver, or was given up."""

from collections.abc import Collection

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from orchestrator.context import ROLLOUT, Context
from orchestrator.errors import Conflict
from orchestrator.rollout.outbox import DELIVERED, without
from orchestrator.rollout.resources.conditions import put
from orchestrator.rollout.resources.resource import Rollout, load

SWAPS = 8


def taken_off(ctx: Context, name: str, ids: Collection[str], to: str, gave_up: str = "") -> None:
    """Compare-and-swap until it holds, since whoever works on the rollout writes its status, too.

    `gave_up` says why in the condition Delivered. Raises what the cluster raises.
    """

    def swap() -> None:
        rollout: Rollout = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
        status = rollout.status
        left = without(status.outbox, ids, to)
        if left == status.outbox:
            return
        update: dict[str, object] = {"outbox": left}
        if gave_up:
            now = ctx.clock.now()
            update["conditions"] = put(status.conditions, DELIVERED, "False", "DeliveryFailed", gave_up, now)
        ctx.cluster.replace_status(rollout.with_status(status.model_copy(update=update)))

    again = retry_if_exception_type(Conflict)
    Retrying(stop=stop_after_attempt(SWAPS), retry=again, reraise=True)(swap)
