"""Clients of the same API server in somebody else's name: with another token, or by impersonation."""

import re
from typing import Any

from orchestrator.errors import Refused

POOL = 4  # connections that one person's pages use at once
MOST_TOKEN, MOST_NAME, MOST_GROUPS = 16384, 256, 64
# RFC 6750, section 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# A space at either end would be trimmed from a header, and " system:admin" be another name then.
_NAME = re.compile(r"[!-~]([ -~]*[!-~])?")
# What says where the API server is and how it proves itself; nothing of this says who calls.
_WHERE = (
    "host",
    "verify_ssl",
    "ssl_ca_cert",
    "ca_cert_data",
    "assert_hostname",
    "tls_server_name",
    "proxy",
    "no_proxy",
    "proxy_headers",
)


def bearing(api: Any, token: str) -> Any:
    """An ApiClient for where `api` leads, that has this bearer token and nothing else. Raises Refused."""
    from kubernetes import client

    if len(token) > MOST_TOKEN or not _TOKEN.fullmatch(token):
        raise Refused("that is no bearer token")
    settings = client.Configuration()
    for name in _WHERE:
        setattr(settings, name, getattr(api.configuration, name))
    settings.api_key = {"BearerToken": f"Bearer {token}"}
    settings.connection_pool_maxsize, settings.retries = POOL, False
    return client.ApiClient(settings)


def impersonating(api: Any, user: str, groups: tuple[str, ...]) -> Any:
    """An ApiClient with the credentials of `api` that acts in another's name. Raises Refused."""
    from kubernetes import client

    for name in (user, *groups):
        if name.startswith("system:"):
            raise Refused(f"{name} belongs to Kubernetes itself and is never impersonated")
        if len(name) > MOST_NAME or not _NAME.fullmatch(name):
            raise Refused(f"{name[:60]!r} cannot be impersonated: a header cannot carry it")
    if len(groups) > MOST_GROUPS:
        raise Refused(f"{user} is in more than {MOST_GROUPS} groups")
    found = client.ApiClient(api.configuration)
    found.rest_client.pool_manager = _Naming(found.rest_client.pool_manager, user, groups)
    return found


class _Naming:
    """A connection pool that says in each request in whose name it is sent.

    Each group is a header of its own, which the dict of headers that an ApiClient keeps cannot hold.
    """

    def __init__(self, pool: Any, user: str, groups: tuple[str, ...]) -> None:
        self._pool, self._user, self._groups = pool, user, groups

    def request(self, method: str, url: str, *, headers: Any = None, **more: Any) -> Any:
        from urllib3 import HTTPHeaderDict

        named = HTTPHeaderDict(headers or {})
        named["Impersonate-User"] = self._user
        for group in self._groups:
            named.add("Impersonate-Group", group)
        return self._pool.request(method, url, headers=named, **more)

    def clear(self) -> None:
        self._pool.clear()
