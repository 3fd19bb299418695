"""Gitea and Forgejo: commit statuses and one comment, through their REST API."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.adapters.githosts.comment_thread import CommentThread
from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.errors import DeliveryError
from orchestrator.ports import CommitStatus, Reversal


@dataclass(frozen=True)
class Gitea:
    """Implements `GitHost` but for the way back."""

    api: Conversation
    repository: str

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        """What the latest of a context says already is not said again."""
        latest = self._latest(revision, {one.context for one in wanted})
        for one in wanted:
            if latest.get(one.context) == (one.state, one.description, one.link):
                continue
            body = {"context": one.context, "state": one.state, "description": one.description}
            path = f"repos/{self.repository}/statuses/{revision}"
            self.api.send("POST", path, {**body, "target_url": one.link})

    def _latest(self, revision: str, contexts: set[str]) -> dict[str, tuple[str, str, str]]:
        """State, description and link of these, newest first; a page may hold fewer than were asked for."""
        found: dict[str, tuple[str, str, str]] = {}
        path = f"repos/{self.repository}/commits/{revision}/statuses"
        for item in self.api.pages(path, {"sort": "highestindex"}, until_empty=True):
            said = (item.get("status"), item.get("description") or "", item.get("target_url") or "")
            found.setdefault(str(item.get("context", "")), said)
            if contexts <= found.keys():
                break
        return found

    def comment(self, revision: str, marker: str, body: str) -> None:
        """On the pull request that brought the commit."""
        pull = self.api.get(f"repos/{self.repository}/commits/{revision}/pull", missing=True)
        if not isinstance(pull, dict) or not isinstance(pull.get("number"), int):
            return
        path = f"repos/{self.repository}/issues"
        thread = CommentThread(self.api, f"{path}/{pull['number']}/comments", f"{path}/comments", "PATCH")
        found = self.api.get(thread.every)  # all of them: this list has no pages
        thread.update(found or [], marker, body)

    def revert(self, wanted: Reversal) -> None:
        raise DeliveryError("on Gitea and Forgejo no pull request is opened")
