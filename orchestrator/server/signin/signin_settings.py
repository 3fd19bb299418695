"""How people sign in, as an operator sets it."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

LOOPBACK = ("localhost", "127.0.0.1", "::1")
Text = Annotated[str, Field(max_length=1024)]
Name = Annotated[str, Field(max_length=253)]


class Oidc(BaseModel):
    """An OpenID provider, asked by the code flow with PKCE."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Text = Field(
        default="", description="The provider's issuer, exactly as its tokens name it; https. Empty for none."
    )
    client_id: Text = Field(default="", description="The client that the provider knows netpol-canary by.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="The client's secret; empty for a public client."
    )
    client_secret_ref: Name = Field(
        default="",
        description="A Secret of the orchestrator's own namespace whose key clientSecret takes the place of client_secret.",
    )
    scopes: list[Name] = Field(
        default=["openid", "email", "groups"], max_length=20, description="What is asked of the provider."
    )
    ca_file: Text = Field(
        default="", description="Certificates to trust the provider by, in place of the system's."
    )
    timeout_seconds: float = Field(
        default=5.0,
        ge=0.1,
        le=30,
        description="How long one exchange with the provider may take, in seconds.",
    )
    impersonate: bool = Field(
        default=False,
        description="Call the API server as the service account in the person's name, where the cluster does not "
        "accept the provider's tokens. Needs config/impersonation; see docs/sign-in.md first.",
    )
    impersonate_groups: list[Name] = Field(
        default=[],
        max_length=64,
        description="The only groups that are ever impersonated, with their prefix; config/impersonation repeats them.",
    )
    user_claim: Name = Field(default="email", description="With impersonate: the claim that names a person.")
    groups_claim: Name = Field(
        default="groups", description="With impersonate: the claim that lists the groups."
    )
    user_prefix: Name = Field(
        default="oidc:", description="With impersonate: goes before the name, so that it is nobody else's."
    )
    groups_prefix: Name = Field(default="", description="With impersonate: goes before each group's name.")

    @field_validator("issuer")
    @classmethod
    def _an_address(cls, value: str) -> str:
        return _address(value) if value else ""

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: list[str]) -> list[str]:
        return value if "openid" in value else ["openid", *value]

    @field_validator("impersonate_groups")
    @classmethod
    def _nobody_of_the_system(cls, value: list[str]) -> list[str]:
        for group in value:
            if group.startswith("system:"):
                raise ValueError(f"{group} is never impersonated; leave it out")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Oidc:
        if self.issuer and not self.client_id:
            raise ValueError("oidc.issuer needs oidc.client_id")
        return self


class SignIn(BaseModel):
    """Who may come in and how long a session lasts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    external_url: Text = Field(
        default="",
        description="Where people reach the pages, as https://HOST; OpenID needs it for the way back.",
    )
    token: bool = Field(default=True, description="Let people sign in with a Kubernetes token.")
    oidc: Oidc = Field(default=Oidc(), description="The OpenID provider, where there is one.")
    anonymous: Literal["none", "read"] = Field(
        default="none",
        description="read shows the pages to whoever can reach them, as the service account sees them.",
    )
    insecure: bool = Field(
        default=False, description="Cookies without Secure, for http://localhost; never for others."
    )
    keys: list[SecretStr] = Field(
        default=[],
        max_length=5,
        description="What sessions are encrypted with, 32 characters or more each: the first encrypts, all decrypt.",
    )
    keys_secret_ref: Name = Field(
        default="",
        description="A Secret of the orchestrator's own namespace that holds the keys: the last by name encrypts, "
        "all decrypt. It is read again every minute.",
    )
    session_seconds: int = Field(
        default=8 * 3600, ge=60, le=86400, description="How long a session lasts at most, in seconds."
    )
    attempts_per_minute: int = Field(
        default=20, ge=1, le=1000, description="How often one address may try to sign in, in a minute."
    )
    trusted_proxies: list[Name] = Field(
        default=[],
        max_length=20,
        description="Addresses and networks whose X-Forwarded-For is believed, when attempts are counted.",
    )

    @field_validator("external_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        found = _address(value) if value else ""
        if found and urlsplit(found).path.strip("/"):
            raise ValueError("give scheme and host alone")
        return found

    @field_validator("keys")
    @classmethod
    def _long_enough(cls, value: list[SecretStr]) -> list[SecretStr]:
        if any(len(key.get_secret_value()) < 32 for key in value):
            raise ValueError("a key needs 32 characters or more: `openssl rand -base64 32`")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @model_validator(mode="after")
    def _together(self) -> SignIn:
        if self.oidc.issuer and not self.external_url:
            raise ValueError("oidc needs external_url, which the provider sends people back to")
        if self.keys and self.keys_secret_ref:
            raise ValueError("give keys or keys_secret_ref, not both")
        if self.external_url.startswith("http:") and not self.insecure:
            raise ValueError("external_url must be https, or insecure be set for localhost")
        return self


def _address(value: str) -> str:
    """An https address, or http on this machine, without a slash at its end. Raises ValueError."""
    parts = urlsplit(value)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise ValueError("give an https:// address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("give the address alone, without user, query or fragment")
    return value
