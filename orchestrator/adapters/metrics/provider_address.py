"""What a provider's settings mean for its requests: the address, the credentials, whom to trust."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from orchestrator.adapters.metrics.transport import Basic, Transport
from orchestrator.errors import BadInput
from orchestrator.ports import Clock
from orchestrator.rollout.resources import model as m


def access(secret: Mapping[str, bytes], where: str = "secretRef") -> tuple[dict[str, str], Basic | None]:
    """Headers and basic authentication from a Secret: bearer; username and password; header.NAME.

    Raises BadInput for a value that cannot stand in a header; the message names the key alone.
    """
    text = {k: v.decode(errors="replace").strip() for k, v in secret.items()}
    for key, value in text.items():
        if (key == "bearer" or key.startswith("header.")) and not (value.isprintable() and value.isascii()):
            raise BadInput(f"the Secret's {key} has a character that no header can carry", where)
    headers = {k.removeprefix("header."): v for k, v in text.items() if k.startswith("header.")}
    if text.get("bearer"):
        headers["Authorization"] = f"Bearer {text['bearer']}"
    basic = (text["username"], text.get("password", "")) if text.get("username") else None
    return headers, basic


def transport(provider: m.Provider, secret: Mapping[str, bytes], clock: Clock) -> Transport:
    """For a provider's settings. Raises BadInput for an address that is none."""
    where = f"the provider {provider.name}"
    try:
        parts = urlsplit(provider.url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise BadInput("its url is no http:// or https:// address", where, "set url")
    if parts.username or parts.password:
        raise BadInput("its url holds credentials", where, "put them into the Secret that secretRef names")
    headers, auth = access(secret, where)
    verify: bool | str = provider.ca_file or not provider.insecure_skip_tls_verify
    return Transport(provider.url, clock, provider.timeout_seconds, headers, auth, verify)
