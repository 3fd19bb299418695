"""An open pull request on GitHub or GitLab, as a CI job that checks it speaks to it: with the job's own token."""

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.adapters.githosts.conversation import Conversation
from orchestrator.adapters.githosts.git_host import HOSTS, MOST_BYTES, MOST_REDIRECTS, SECONDS, within_shape
from orchestrator.adapters.githosts.github import GitHub
from orchestrator.adapters.githosts.gitlab import GitLab
from orchestrator.adapters.http.client import Client
from orchestrator.errors import DeliveryError
from orchestrator.ports import Clock, Stays


@dataclass(frozen=True)
class OpenReview:
    """Implements `Review`; `api_url` as a CI system gives it, `ca_file` what proves it in place of the system's own."""

    host: Literal["github", "gitlab"]
    api_url: str
    repository: str
    number: int
    token: str = field(repr=False)
    clock: Clock
    ca_file: str = ""

    def keep_comment(self, marker: str, body: str, stays: Stays) -> bool:
        headers = HOSTS[self.host][2](self.token)
        client = Client(
            self.api_url,
            DeliveryError,
            SECONDS,
            MOST_BYTES,
            credentials=headers,
            verify=self.ca_file or True,
            redirects=MOST_REDIRECTS,
        )
        talk = Conversation(client, self.clock)
        known = GitHub(talk, self.repository) if self.host == "github" else GitLab(talk, self.repository)
        return within_shape(client, lambda: known.keep_comment(self.number, marker, body, stays))
