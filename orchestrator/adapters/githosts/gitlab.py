"""GitLab: commit statuses and one note on the merge request, through its REST API."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from orchestrator.adapters.githosts.comment_thread import Comment, CommentThread
from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.errors import DeliveryError
from orchestrator.ports import CommitStatus, Reversal, Stays

# A status that is pending blocks the pipeline's later stages; `running` says the same and may follow itself.
STATES = {"pending": "running", "success": "success", "failure": "failed"}


@dataclass(frozen=True)
class GitLab:
    """Implements `GitHost` but for the way back."""

    api: Conversation
    repository: str

    @property
    def _project(self) -> str:
        return f"projects/{quote(self.repository, safe='')}"

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        """A status cannot go from a state to the same one there, so a new description alone is left out."""
        latest: dict[str, str] = {}
        for item in self.api.pages(f"{self._project}/repository/commits/{revision}/statuses"):
            latest[str(item.get("name", ""))] = str(item.get("status", ""))
        for one in wanted:
            state = STATES[one.state]
            if latest.get(one.context) == state:
                continue
            body = {"name": one.context, "state": state, "description": one.description}
            path = f"{self._project}/statuses/{revision}"
            found = self.api.send(
                "POST", path, {**body, **({"target_url": one.link} if one.link else {})}, (400,)
            )
            said = str((found.body or {}).get("message", "")) if isinstance(found.body, dict) else ""
            if found.status == 400 and "Cannot transition status" not in said:
                raise self.api.client.error(f"refuses the status {one.context}: {said}")

    def comment(self, revision: str, marker: str, body: str) -> None:
        """On the merge request that brought the commit."""
        requests = self.api.pages(f"{self._project}/repository/commits/{revision}/merge_requests")
        merged = next((r for r in requests if r.get("state") == "merged"), None)
        if merged is None:
            return
        thread = self._thread(int(merged["iid"]))
        notes = self.api.pages(thread.every, {"sort": "asc", "order_by": "created_at"})
        thread.update(notes, marker, body)

    def keep_comment(self, number: int, marker: str, body: str, stays: Stays) -> bool:
        """As a note on an open merge request."""
        me = int(self.api.get("user")["id"])

        def head() -> str:
            return str(self.api.get(f"{self._project}/merge_requests/{number}")["sha"])

        def ours(note: Comment) -> bool:
            return bool((note.get("author") or {}).get("id") == me)

        return self._thread(number).keep(marker, body, ours, lambda text: stays(text, head))

    def _thread(self, number: int) -> CommentThread:
        path = f"{self._project}/merge_requests/{number}/notes"
        return CommentThread(self.api, path, path, "PUT")

    def revert(self, wanted: Reversal) -> None:
        raise DeliveryError("on GitLab no merge request is opened")
