"""Gitea and Forgejo: commit statuses and one comment, through their REST API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.adapters.githosts.exchange import Exchange
from orchestrator.errors import DeliveryError
from orchestrator.ports import CommitStatus, Reversal


@dataclass(frozen=True)
class Gitea:
    """Implements `GitHost` but for the way back."""

    api: Exchange
    repository: str

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        """What the latest of a context says already is not said again."""
        latest: dict[str, tuple[str, str, str]] = {}
        for item in self.api.pages(
            f"repos/{self.repository}/commits/{revision}/statuses", {"sort": "recentupdate"}
        ):
            state = str(item.get("status", ""))
            said = (state, str(item.get("description", "")), str(item.get("target_url", "") or ""))
            latest.setdefault(str(item.get("context", "")), said)
        for one in wanted:
            if latest.get(one.context) == (one.state, one.description, one.link):
                continue
            body = {"context": one.context, "state": one.state, "description": one.description}
            self.api.send(
                "POST", f"repos/{self.repository}/statuses/{revision}", {**body, "target_url": one.link}
            )

    def comment(self, revision: str, marker: str, body: str) -> None:
        """On the pull request that brought the commit."""
        pull = self.api.get(f"repos/{self.repository}/commits/{revision}/pull", missing=True)
        if not isinstance(pull, dict) or not isinstance(pull.get("number"), int):
            return
        path = f"repos/{self.repository}/issues"
        found = self.api.pages(f"{path}/{pull['number']}/comments")
        mine = next((c for c in found if str(c.get("body", "")).startswith(marker)), None)
        if mine is None:
            self.api.send("POST", f"{path}/{pull['number']}/comments", {"body": body})
        elif mine.get("body") != body:
            self.api.send("PATCH", f"{path}/comments/{mine.get('id')}", {"body": body})

    def revert(self, wanted: Reversal) -> None:
        raise DeliveryError("on Gitea and Forgejo no pull request is opened")
