"""The comments of one pull request: the one of ours that is kept up to date among them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.adapters.githosts.conversation import Conversation

MOST_PAGES = 60  # of a hundred: hosts take no more than 5,000 comments on one pull request
Comment = Mapping[str, Any]


@dataclass(frozen=True)
class CommentThread:
    """`every` is the path of all its comments, `one` that below which each has its id; `change` is the method that alters one."""

    api: Conversation
    every: str
    one: str
    change: str

    def keep(
        self,
        marker: str,
        body: str,
        ours: Callable[[Comment], bool],
        stays: Callable[[str], bool],
    ) -> bool:
        """The first of ours that begins with the marker says this from here on, unless it stays as it is; whether it does.

        What two runs at once made twice goes.
        """
        found = self.api.pages(self.every, until_empty=True, most=MOST_PAGES)
        mine = [c for c in found if _begins(c, marker) and ours(c)]
        if mine and stays(str(mine[0]["body"])):
            return False
        self._say(mine[0] if mine else None, body)
        for double in mine[1:]:
            self.api.send("DELETE", f"{self.one}/{int(double['id'])}", None, (404,))
        return True

    def update(self, found: Iterable[Comment], marker: str, body: str) -> None:
        """The first of these comments that begins with the marker says this from here on, whoever wrote it."""
        self._say(next((c for c in found if _begins(c, marker)), None), body)

    def _say(self, standing: Comment | None, body: str) -> None:
        """In this comment, or in a new one; what is said already is not said again."""
        if standing is None:
            self.api.send("POST", self.every, {"body": body})
        elif standing.get("body") != body:
            self.api.send(self.change, f"{self.one}/{standing.get('id')}", {"body": body})


def _begins(comment: Comment, marker: str) -> bool:
    return str(comment.get("body", "")).startswith(marker)
