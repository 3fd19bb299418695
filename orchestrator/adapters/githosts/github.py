"""GitHub: commit statuses, one comment on the pull request, and a pull request that takes a change back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.adapters.githosts.comment_thread import Comment, CommentThread
from orchestrator.adapters.githosts.conversation import MOST_PAGES, PER_PAGE, Conversation
from orchestrator.adapters.githosts.github_revert import open_revert
from orchestrator.errors import DeliveryError
from orchestrator.ports import CommitStatus, Reversal, Stays


@dataclass(frozen=True)
class GitHub:
    """Implements `GitHost`."""

    api: Conversation
    repository: str

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        """What the latest of a context says already is not said again: a commit takes a thousand of one context."""
        latest = self._latest(revision)
        for one in wanted:
            if latest.get(one.context) == (one.state, one.description, one.link):
                continue
            body = {"context": one.context, "state": one.state, "description": one.description}
            link = {"target_url": one.link} if one.link else {}
            self.api.send("POST", f"repos/{self.repository}/statuses/{revision}", {**body, **link})

    def _latest(self, revision: str) -> dict[str, tuple[str, str, str]]:
        found: dict[str, tuple[str, str, str]] = {}
        for page in range(1, MOST_PAGES + 1):
            query = {"per_page": PER_PAGE, "page": page}
            answer = self.api.get(f"repos/{self.repository}/commits/{revision}/status", query)
            statuses = answer.get("statuses") if isinstance(answer, dict) else None
            if not isinstance(statuses, list):
                raise DeliveryError("GitHub answered with something that is no list of statuses")
            for item in statuses:
                said = (item.get("state"), item.get("description") or "", item.get("target_url") or "")
                found[str(item.get("context", ""))] = said
            if len(statuses) < PER_PAGE:
                break
        return found

    def comment(self, revision: str, marker: str, body: str) -> None:
        """On the merged pull request that brought the commit."""
        found = self.api.pages(f"repos/{self.repository}/commits/{revision}/pulls")
        pulls = [p for p in found if p.get("merged_at")]  # of several the one whose merge the commit is
        pulls.sort(key=lambda p: p.get("merge_commit_sha") != revision)
        if not pulls:
            return
        merged = pulls[0]
        thread = self._thread(int(merged["number"]))
        comments = self.api.pages(thread.every, {"since": str(merged["merged_at"])})
        thread.update(comments, marker, body)

    def keep_comment(self, number: int, marker: str, body: str, stays: Stays) -> bool:
        """On an open pull request; whose token it is, an App's too, GraphQL alone says."""
        root = replace(
            self.api.client, url=self.api.client.url.removesuffix("/v3")
        )  # Enterprise Server: /api/graphql
        asked = replace(self.api, client=root).send("POST", "graphql", {"query": "{viewer {login}}"})
        me = asked.body["data"]["viewer"]["login"]

        def head() -> str:
            return str(self.api.get(f"repos/{self.repository}/pulls/{number}")["head"]["sha"])

        def ours(comment: Comment) -> bool:
            return bool((comment.get("user") or {}).get("login") == me)

        return self._thread(number).keep(marker, body, ours, lambda text: stays(text, head))

    def _thread(self, number: int) -> CommentThread:
        path = f"repos/{self.repository}/issues"
        return CommentThread(self.api, f"{path}/{number}/comments", f"{path}/comments", "PATCH")

    def revert(self, wanted: Reversal) -> None:
        open_revert(self.api, self.repository, wanted)
