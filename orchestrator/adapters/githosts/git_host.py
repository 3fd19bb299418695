"""A Git host for a source's feedback: its kind, its address, its token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.adapters.githosts.exchange import SECONDS, Exchange
from orchestrator.adapters.githosts.gitea import Gitea
from orchestrator.adapters.githosts.github import GitHub
from orchestrator.adapters.githosts.gitlab import GitLab
from orchestrator.errors import BadInput
from orchestrator.ports import Clock, GitHost
from orchestrator.rollout.resources import model as m

HOSTS: Mapping[str, tuple[Callable[[Exchange, str], GitHost], str, Callable[[str], Mapping[str, str]]]] = {
    "github": (
        GitHub,
        "https://api.github.com",
        lambda token: {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    ),
    "gitlab": (GitLab, "https://gitlab.com/api/v4", lambda token: {"PRIVATE-TOKEN": token}),
    "gitea": (Gitea, "", lambda token: {"Authorization": f"token {token}"}),
}


@dataclass(frozen=True)
class Hosts:
    """`read(name, where)` gives a Secret's data."""

    clock: Clock
    read: Callable[[str, str], Mapping[str, bytes]]
    seconds: float = SECONDS

    def get(self, feedback: m.Feedback) -> GitHost:
        """Raises BadInput for settings that cannot be meant."""
        make, default, headers = HOSTS[feedback.host]
        where = "feedback.secretRef"
        data = self.read(feedback.secret_ref, where)
        token = data.get("token", b"").decode(errors="replace").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise BadInput(
                f"the Secret {feedback.secret_ref} holds no token", where, "give it the key `token`"
            )
        exchange = Exchange(
            feedback.api_url or default,
            self.clock,
            {"User-Agent": "netpol-canary", **headers(token)},
            token,
            feedback.ca_file or True,
            self.seconds,
        )
        return make(exchange, feedback.repository)
