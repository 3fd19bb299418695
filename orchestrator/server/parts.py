"""What the pages, the sign-in and the webhooks are built over, and who looks at them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry

from orchestrator.context import Context
from orchestrator.ports import Cluster


@dataclass(frozen=True)
class Viewer:
    """Who is signed in. `cluster` calls the API server as this person; `may` is a SelfSubjectAccessReview.

    Where nobody is and the operator shows the pages to everybody, `user` and `csrf` are empty and nothing may be done.

    `may(verb, resource)` asks about netpol-canary.dev in the orchestrator's own namespace; `csrf` goes into each form.
    """

    user: str
    groups: tuple[str, ...]
    cluster: Cluster
    may: Callable[[str, str], bool]
    csrf: str


class Callers(Protocol):
    """The same cluster in another's name. Both raise Refused for a name or token that no header may carry."""

    def with_token(self, token: str) -> Cluster:
        """With this bearer token and no credentials of this process."""

    def impersonating(self, user: str, groups: tuple[str, ...]) -> Cluster:
        """With this process's own credentials, in the name of somebody else; never a `system:` one."""


@dataclass(frozen=True)
class Person:
    """Somebody to be by choosing, in the sandbox; `note` says what the person is there for."""

    user: str
    groups: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Parts:
    """`ctx` works as the service account: for webhooks and for what an operator chose to show to everybody.

    `secrets` is a directory NAME/KEY in place of Secrets. `callers` is who calls in the name of those signed in;
    without it nobody can sign in. `people` is for the sandbox alone: whoever comes is one of them by choosing, so it
    is an argument and never a setting. `registry` is what /metrics shows.
    """

    ctx: Context
    ready: Callable[[], bool] = lambda: True
    secrets: Path | None = None
    callers: Callers | None = None
    people: tuple[Person, ...] = ()
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
