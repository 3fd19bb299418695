"""GitLab: the secret itself in X-Gitlab-Token; project, group and system hooks.

docs.gitlab.com: webhooks, and webhook events (push, tag).
"""

from orchestrator.server.webhooks.push import Delivery, Malformed, Message, equal, text, texts

PUSHES = ("push", "tag_push")


class GitLab:
    """Implements `Host`. GitLab has no ping: its test button sends a push."""

    def read(self, delivery: Delivery) -> Message:
        if not delivery.header("X-Gitlab-Event"):
            raise Malformed("the header X-Gitlab-Event is missing")
        body = delivery.json()
        urls = texts(body.get("project"), "git_http_url", "git_ssh_url", "web_url")
        kind = text(body, "object_kind") or text(body, "event_name")
        if kind not in PUSHES:
            return Message("other", urls)
        return Message("push", urls, text(body, "ref"))

    def proves(self, delivery: Delivery, secret: bytes) -> bool:
        return equal(delivery.header("X-Gitlab-Token"), secret)
