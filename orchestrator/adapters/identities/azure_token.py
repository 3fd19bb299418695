"""Tokens for Azure Monitor workspaces, by azure-identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from orchestrator.adapters.identities.renewed_token import RenewedToken, Token
from orchestrator.adapters.identities.vendor_call import within
from orchestrator.errors import BadInput
from orchestrator.ports import Clock

KEYS = ("tenantId", "clientId", "clientSecret")
# A token is for the workspaces of one cloud: by the ends of their hosts, where tokens are had.
CLOUDS = {
    ".prometheus.monitor.azure.us": (
        "https://prometheus.monitor.azure.us",
        "https://login.microsoftonline.us",
    ),
    ".prometheus.monitor.azure.cn": ("https://prometheus.monitor.azure.cn", "https://login.chinacloudapi.cn"),
}
PUBLIC = ("https://prometheus.monitor.azure.com", "https://login.microsoftonline.com")
WHOSE = "Azure"


def cloud(url: str) -> tuple[str, str]:
    """For whom a token is made, and by whom."""
    host = urlsplit(url).hostname or ""
    return next((found for end, found in CLOUDS.items() if host.endswith(end)), PUBLIC)


def own(url: str, clock: Clock) -> RenewedToken:
    """Of this process: its ServiceAccount (workload identity), or a managed identity of the node."""

    def find() -> Any:
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    return _renewed(find, cloud(url)[0], clock)


def of_secret(secret: Mapping[str, bytes], url: str, where: str, clock: Clock) -> RenewedToken:
    """Of an application by its secret. Raises BadInput."""
    text = {k: v.decode(errors="replace").strip() for k, v in secret.items()}
    if missing := [k for k in KEYS if not text.get(k)]:
        raise BadInput(
            f"the Secret holds no {missing[0]} for its identity azure",
            where,
            f"give it the key `{missing[0]}`",
        )
    audience, authority = cloud(url)

    def find() -> Any:
        from azure.identity import ClientSecretCredential

        # The authority is one of those above: whether it is one is not asked elsewhere.
        return ClientSecretCredential(
            *(text[k] for k in KEYS), authority=authority, disable_instance_discovery=True
        )

    return _renewed(find, audience, clock)


def _renewed(find: Callable[[], Any], audience: str, clock: Clock) -> RenewedToken:
    """Its own cache goes with it: a token that was refused must not come again."""

    def asked() -> Any:
        with find() as credential:
            return credential.get_token(f"{audience}/.default")

    def make() -> Token:
        found = within(WHOSE, asked)
        return Token(str(found.token), float(found.expires_on) - clock.now().timestamp())

    return RenewedToken(make, clock)
