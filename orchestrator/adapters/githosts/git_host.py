"""A Git host for a source's feedback: its kind, its address, its token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.adapters.githosts.gitea import Gitea
from orchestrator.adapters.githosts.github import GitHub
from orchestrator.adapters.githosts.gitlab import GitLab
from orchestrator.adapters.http.allowed_addresses import problem, shown
from orchestrator.adapters.http.client import Client
from orchestrator.errors import BadInput, DeliveryError
from orchestrator.ports import Clock, CommitStatus, GitHost, Reversal
from orchestrator.rollout.resources import model as m

SECONDS = 20.0
MOST_BYTES = 8 * 1024 * 1024
MOST_REDIRECTS = 3
Begin = Callable[[Conversation, str], GitHost]
HOSTS: Mapping[str, tuple[Begin, str, Callable[[str], Mapping[str, str]]]] = {
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
        url = feedback.api_url or default
        if said := problem(url):
            raise BadInput(f"{shown(url)} {said}", "feedback.apiUrl", "the token must not be read on its way")
        client = Client(
            url,
            DeliveryError,
            self.seconds,
            MOST_BYTES,
            credentials=headers(token),
            verify=feedback.ca_file or True,
            redirects=MOST_REDIRECTS,
        )
        return _Guarded(make(Conversation(client, self.clock), feedback.repository), client)


@dataclass(frozen=True)
class _Guarded:
    """Implements `GitHost`: where an answer has another shape than that host's, nothing of what is in it is told."""

    host: GitHost
    client: Client

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        self._done(lambda: self.host.status(revision, wanted))

    def comment(self, revision: str, marker: str, body: str) -> None:
        self._done(lambda: self.host.comment(revision, marker, body))

    def revert(self, wanted: Reversal) -> None:
        self._done(lambda: self.host.revert(wanted))

    def _done(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (TypeError, ValueError, KeyError, AttributeError, IndexError):
            raise self.client.error("answered with data of an unknown shape") from None
