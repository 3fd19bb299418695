"""A Git host for a source's feedback: its kind, its address, its token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.adapters.githosts.gitea import Gitea
from orchestrator.adapters.githosts.github import GitHub
from orchestrator.adapters.githosts.gitlab import GitLab
from orchestrator.adapters.http.allowed_addresses import problem, shown
from orchestrator.adapters.http.client import Client
from orchestrator.adapters.identities.github_app import BASES, PUBLIC, App, GitHubApps, api_headers
from orchestrator.adapters.identities.renewed_token import Bearer
from orchestrator.errors import BadInput, DeliveryError
from orchestrator.ports import Clock, CommitStatus, GitHost, Reversal
from orchestrator.rollout.resources import model as m

T = TypeVar("T")
SECONDS = 20.0
MOST_BYTES = 8 * 1024 * 1024
MOST_REDIRECTS = 3
SECRET = "feedback.secretRef"
Begin = Callable[[Conversation, str], GitHost]
HOSTS: Mapping[str, tuple[Begin, str, Callable[[str], Mapping[str, str]]]] = {
    "github": (GitHub, PUBLIC, api_headers),
    "gitlab": (GitLab, "https://gitlab.com/api/v4", lambda token: {"PRIVATE-TOKEN": token}),
    "gitea": (Gitea, "", lambda token: {"Authorization": f"token {token}"}),
}


@dataclass(frozen=True)
class Hosts:
    """`read(name, where)` gives a Secret's data."""

    clock: Clock
    read: Callable[[str, str], Mapping[str, bytes]]
    seconds: float = SECONDS
    apps: GitHubApps = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "apps", GitHubApps(self.clock))

    def get(self, feedback: m.Feedback) -> GitHost:
        """Raises BadInput for settings that cannot be meant."""
        make, default, headers = HOSTS[feedback.host]
        data = self.read(feedback.secret_ref, SECRET)
        url = feedback.api_url or default
        if said := problem(url):
            raise BadInput(f"{shown(url)} {said}", "feedback.apiUrl", "the token must not be read on its way")
        app = App.from_secret(data, SECRET)
        identity = self._identity(app, feedback, url) if app else None
        known = headers("" if app else _token(data, feedback.secret_ref))
        client = Client(
            url,
            DeliveryError,
            self.seconds,
            MOST_BYTES,
            credentials={k: v for k, v in known.items() if not (identity and k == "Authorization")},
            identity=identity,
            verify=feedback.ca_file or True,
            redirects=MOST_REDIRECTS,
        )
        return _Guarded(make(Conversation(client, self.clock), feedback.repository), client)

    def _identity(self, app: App, feedback: m.Feedback, url: str) -> Bearer:
        """Its tokens may do what is asked for here, in that repository, and go to the App's own host."""
        if feedback.host != "github":
            raise BadInput(f"a GitHub App is nobody on {feedback.host}", SECRET, "give the key `token`")
        if url.rstrip("/").lower() != app.api:
            text = f"the Secret's GitHub App is one of {app.api}, and {shown(url)} is to be asked"
            raise BadInput(text, SECRET, f"set {BASES[0]} in the Secret to what feedback.apiUrl says")
        name = feedback.repository.rpartition("/")[2]
        return Bearer(self.apps.token(app, name, _permissions(feedback), feedback.ca_file))


def _permissions(feedback: m.Feedback) -> dict[str, str]:
    """What an App's token is made for; as docs/git-hosts.md says it of any token."""
    found = {"statuses": "write"} if feedback.statuses else {}
    if feedback.comments or feedback.revert:
        found["pull_requests"] = "write"
    return {**found, **({"contents": "write"} if feedback.revert else {})}


def _token(data: Mapping[str, bytes], secret: str) -> str:
    token = data.get("token", b"").decode(errors="replace").strip()
    if not token or not token.isascii() or not token.isprintable():
        hint = "give it the key `token`, or those of a GitHub App"
        raise BadInput(f"the Secret {secret} holds no token", SECRET, hint)
    return token


@dataclass(frozen=True)
class _Guarded:
    """Implements `GitHost`."""

    host: GitHost
    client: Client

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        within_shape(self.client, lambda: self.host.status(revision, wanted))

    def comment(self, revision: str, marker: str, body: str) -> None:
        within_shape(self.client, lambda: self.host.comment(revision, marker, body))

    def revert(self, wanted: Reversal) -> None:
        within_shape(self.client, lambda: self.host.revert(wanted))


def within_shape(client: Client, work: Callable[[], T]) -> T:
    """Where an answer has another shape than that host's, nothing of what is in it is told. Raises DeliveryError."""
    try:
        return work()
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        raise client.error("answered with data of an unknown shape") from None
