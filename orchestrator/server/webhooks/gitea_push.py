"""Gitea and Forgejo: a hexadecimal HMAC-SHA256 of the body in X-Gitea-Signature or X-Forgejo-Signature.

docs.gitea.com and forgejo.org: webhooks. Deliveries must be JSON, their default.
"""

from dataclasses import dataclass

from orchestrator.server.webhooks.push import Delivery, Malformed, Message, signed, text, texts


@dataclass(frozen=True)
class Gitea:
    """Implements `Host`; `name` stands in the headers. The test button sends a push."""

    name: str = "Gitea"

    def read(self, delivery: Delivery) -> Message:
        event = delivery.header(f"X-{self.name}-Event")
        if not event:
            raise Malformed(f"the header X-{self.name}-Event is missing")
        if "json" not in delivery.header("Content-Type"):
            raise Malformed("only the content type application/json is taken")
        body = delivery.json()
        urls = texts(body.get("repository"), "clone_url", "ssh_url", "html_url")
        return Message("push", urls, text(body, "ref")) if event == "push" else Message("other", urls)

    def proves(self, delivery: Delivery, secret: bytes) -> bool:
        return signed(delivery.body, delivery.header(f"X-{self.name}-Signature"), secret)
