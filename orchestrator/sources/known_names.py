"""Which of the objects that stand here may be meant, by somebody who named another one."""

from orchestrator.context import Context
from orchestrator.errors import NetpolCanaryError
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.ports import Kind


def meant(ctx: Context, name: str, otherwise: str, *kinds: Kind) -> str:
    """A hint: names of these kinds that are spelt alike, or what else to do where none is, or they may not be listed."""
    try:
        known = [str(o["metadata"]["name"]) for kind in kinds for o in ctx.cluster.list(kind, ctx.namespace)]
    except NetpolCanaryError:
        return otherwise
    return did_you_mean(name, known, otherwise)
