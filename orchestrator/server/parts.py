"""What the pages, the sign-in and the webhooks are built over, and who looks at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.ports import Cluster
from orchestrator.steps.context import Context


@dataclass(frozen=True)
class Viewer:
    """Who is signed in. `cluster` calls the API server as this person; `may` is a SelfSubjectAccessReview.

    `may(verb, resource)` asks about netpol-canary.dev in the orchestrator's own namespace; `csrf` goes into each form.
    """

    user: str
    groups: tuple[str, ...]
    cluster: Cluster
    may: Callable[[str, str], bool]
    csrf: str


@dataclass(frozen=True)
class Parts:
    """`ctx` works as the service account: for webhooks and for what an operator chose to show to everybody."""

    ctx: Context
    ready: Callable[[], bool] = lambda: True
