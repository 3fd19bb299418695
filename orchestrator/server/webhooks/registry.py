"""The hosts, by the last part of the path that they post to."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.server.webhooks.delivery import Host
from orchestrator.server.webhooks.generic import Generic
from orchestrator.server.webhooks.gitea import Gitea
from orchestrator.server.webhooks.github import GitHub
from orchestrator.server.webhooks.gitlab import GitLab

HOSTS: Mapping[str, Host] = {
    "github": GitHub(),
    "gitlab": GitLab(),
    "gitea": Gitea(),
    "forgejo": Gitea("Forgejo"),
    "generic": Generic(),
}
