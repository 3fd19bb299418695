"""Policies of all kinds that sources write, as far as the viewer may list them."""

from collections.abc import Iterable

from orchestrator.context import POLICY, Context
from orchestrator.errors import Forbidden, NotFound
from orchestrator.ports import Kind, Manifest
from orchestrator.server.pages.read import Standing


def kinds_of(sources: Iterable[Standing]) -> list[Kind]:
    """Those that they write, and NetworkPolicy in any case."""
    return sorted({POLICY, *(Kind(k.api_version, k.kind) for s in sources if s.spec for k in s.spec.kinds)})


def listed(
    ctx: Context, kinds: Iterable[Kind], namespace: str | None = None
) -> tuple[list[str], list[Manifest]]:
    """The kinds that may not be listed in a namespace, or in all of them, and the objects of the others."""
    hidden: list[str] = []
    found: list[Manifest] = []
    for kind in kinds:
        try:
            found += ctx.cluster.list(kind, namespace)
        except NotFound:
            continue  # the cluster does not know the kind, so that none stands there
        except Forbidden as error:
            if error.status == 401:
                raise
            hidden.append(kind.kind)
    return hidden, found
