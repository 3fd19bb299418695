"""The hosts, by the last part of the path that they post to."""

from collections.abc import Mapping

from orchestrator.server.webhooks.generic_push import Generic
from orchestrator.server.webhooks.gitea_push import Gitea
from orchestrator.server.webhooks.github_push import GitHub
from orchestrator.server.webhooks.gitlab_push import GitLab
from orchestrator.server.webhooks.push import Host

HOSTS: Mapping[str, Host] = {
    "github": GitHub(),
    "gitlab": GitLab(),
    "gitea": Gitea(),
    "forgejo": Gitea("Forgejo"),
    "generic": Generic(),
}
