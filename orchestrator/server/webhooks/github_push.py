"""GitHub: X-Hub-Signature-256 over the body, JSON or a form whose `payload` is JSON.

docs.github.com: webhook events and payloads, push and ping; validating webhook deliveries.
"""

from urllib.parse import parse_qs

from orchestrator.server.webhooks.push import Delivery, Malformed, Message, parsed, signed, text, texts

FORM = "application/x-www-form-urlencoded"


class GitHub:
    """Implements `Host`."""

    def read(self, delivery: Delivery) -> Message:
        event = delivery.header("X-GitHub-Event")
        if not event:
            raise Malformed("the header X-GitHub-Event is missing")
        body = parsed(_json(delivery))
        urls = texts(body.get("repository"), "clone_url", "ssh_url", "git_url", "html_url")
        if event != "push":
            return Message("ping" if event == "ping" else "other", urls)
        return Message("push", urls, text(body, "ref"))

    def proves(self, delivery: Delivery, secret: bytes) -> bool:
        given = delivery.header("X-Hub-Signature-256")
        return signed(delivery.body, given.removeprefix("sha256="), secret)


def _json(delivery: Delivery) -> str | bytes:
    if not delivery.header("Content-Type").startswith(FORM):
        return delivery.body
    try:
        fields = parse_qs(delivery.body.decode(), max_num_fields=16)
    except ValueError:
        raise Malformed("the form cannot be read") from None
    return fields.get("payload", [""])[0]
