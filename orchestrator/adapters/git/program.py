"""Run the git program: argv lists, no prompts, no user configuration, credentials out of sight."""

from __future__ import annotations

import base64
import os
import re
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.adapters import contained
from orchestrator.adapters.identities.renewed_token import RenewedToken
from orchestrator.errors import BadInput, IdentityError, RepositoryError

_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!//)")
_USERINFO = re.compile(r"(\w+://)[^/@\s]+@")
MOST_OUTPUT = 64 * 1024 * 1024
# What git finds wrong in old histories and what harms nobody here: said, not refused.
_HARMLESS = (
    *("badDate", "badDateOverflow", "badEmail", "badName", "badTagName", "badTimezone", "missingEmail"),
    *("missingNameBeforeEmail", "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "missingTaggerEntry"),
    *("multipleAuthors", "nulInCommit", "zeroPaddedDate", "zeroPaddedFilemode"),
)
# Objects are checked when they come; large ones are not held in memory; nothing runs on its own or writes besides.
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.bigFileThreshold": "16m",
    "core.deltaBaseCacheLimit": "32m",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    **{f"fetch.fsck.{finding}": "warn" for finding in _HARMLESS},
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.deltaCacheSize": "16m",
    "pack.threads": "1",
    "pack.windowMemory": "32m",
    "protocol.ext.allow": "never",
    "safe.directory": "*",
    "submodule.recurse": "false",
}


@dataclass(frozen=True, repr=False)
class Credentials:
    """From a Secret's keys username, password, token, sshKey, knownHosts and ca.crt; never printed.

    `authorities` are the certificates that vouch for https servers, in place of the system's. Where there are `tokens`,
    each fetch has one of them; nothing else needs one.
    """

    username: str = ""
    password: str = ""
    token: str = ""
    ssh_key: str = ""
    known_hosts: str = ""
    authorities: str = ""
    tokens: RenewedToken | None = None

    @staticmethod
    def from_secret(data: Mapping[str, bytes]) -> Credentials:
        """Keys that mean nothing here are left alone."""
        text = {k: v.decode(errors="replace") for k, v in data.items()}
        return Credentials(
            text.get("username", ""),
            text.get("password", ""),
            text.get("token", "").strip(),
            text.get("sshKey", ""),
            text.get("knownHosts", ""),
            text.get("ca.crt", ""),
        )

    def lasting(self, url: str) -> Credentials:
        """With a token for now. Raises RepositoryError where there is none to be had."""
        if self.tokens is None:
            return self
        try:
            return replace(self, token=self.tokens.token())
        except IdentityError as error:
            raise RepositoryError(f"{url} was not asked: {error}") from None

    def renewed(self, used: Credentials) -> bool:
        """Whether there is another token than the one that was refused."""
        return self.tokens is not None and self.tokens.refused(used.token)

    @property
    def hidden(self) -> tuple[str, ...]:
        return tuple(t for t in (self.password, self.token, self._basic()) if t)

    def _basic(self) -> str:
        if not (self.token or self.password):
            return ""
        pair = f"{self.username or 'x-access-token'}:{self.token or self.password}"
        return base64.b64encode(pair.encode()).decode()

    def header(self) -> str:
        """The HTTP header for https, or nothing."""
        basic = self._basic()
        return f"Authorization: Basic {basic}" if basic else ""


def is_ssh(url: str) -> bool:
    """Whether git takes the URL to ssh."""
    return url.startswith("ssh://") or bool(_SCP.match(url))


def check_url(url: str, credentials: Credentials) -> None:
    """BadInput for anything but a path, file, https or ssh (http: on loopback only)."""
    where = "git.url"
    if not url or url.startswith("-") or "::" in url.split("/")[0]:
        raise BadInput("the repository's URL is missing or not acceptable", where)
    scheme = url.split("://", 1)[0] if "://" in url else ""
    loopback = re.match(r"http://(localhost|127\.0\.0\.1)[:/]", url)
    if scheme not in ("", "file", "https", "ssh") and not loopback:
        raise BadInput(f"{scheme}:// is not taken", where, "give a path, https:// or ssh://")
    if _USERINFO.match(url) and "ssh" not in scheme:
        raise BadInput("a URL must not hold credentials", where, "put them into the Secret of git.secretRef")
    if is_ssh(url) and not credentials.known_hosts:
        raise BadInput("ssh needs the server's host keys", where, "put knownHosts into the Secret")
    if not scheme and not is_ssh(url) and not Path(url).exists():
        raise BadInput(f"there is no repository at {url}", where, "fix git.url")


def scrubbed(text: str, credentials: Credentials) -> str:
    """The text without credentials."""
    for secret in credentials.hidden:
        text = text.replace(secret, "***")
    return _USERINFO.sub(r"\1", text)


def run(
    args: Sequence[str],
    url: str,
    credentials: Credentials,
    timeout: float,
    data: bytes = b"",
    limit: int = 0,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints. `environment` comes on top of the little that is kept. Raises RepositoryError with git's last
    line, BadInput where the repository makes git say or hold too much; all its children end by the deadline."""
    name = scrubbed(url, credentials)
    limits = contained.Limits(timeout, limit or MOST_OUTPUT)
    with tempfile.TemporaryDirectory(prefix="netpol-canary-git-") as scratch:
        env = {**_environment(url, credentials, Path(scratch)), **(environment or {})}
        try:
            done = contained.run(["git", *args], limits, env, data)
        except contained.Ended as ended:
            if ended.why == "time":
                raise RepositoryError(f"git took longer than {timeout:g} s for {name}") from None
            raise BadInput(_too_much(ended.why, limits), name, "keep policies in a smaller one") from None
    if done.code:
        lines = [line for line in done.errors.splitlines() if line.strip()]
        said = next(
            (li for li in lines if li.startswith(("fatal:", "error:"))), (lines or ["no message"])[-1]
        )
        raise RepositoryError(scrubbed(f"{url}: git says: {said.removeprefix('fatal: ')}", credentials))
    return done.out


def _too_much(why: contained.Why, limits: contained.Limits) -> str:
    if why == "output":
        return f"the repository gives more than {limits.output >> 20} MiB"
    if why == "memory":
        return f"git needs more than {limits.resident >> 20} MiB of memory for the repository"
    return f"git needs more than {limits.processes} processes for the repository"


def _environment(url: str, credentials: Credentials, scratch: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HTTPS_PROXY", "https_proxy", "NO_PROXY")}
    settings = list(SETTINGS.items())
    if credentials.header() and not is_ssh(url):
        settings.append((f"http.{url}.extraHeader", credentials.header()))
    env = {
        **kept,
        "HOME": str(scratch),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ALLOW_PROTOCOL": "file:https:http:ssh",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = key, value
    if credentials.authorities:
        bundle = scratch / "ca.crt"
        bundle.write_text(credentials.authorities)
        env["GIT_SSL_CAINFO"] = str(bundle)
    if is_ssh(url):
        env["GIT_SSH_COMMAND"] = _ssh(credentials, scratch)
    return env


def _ssh(credentials: Credentials, scratch: Path) -> str:
    hosts = scratch / "known_hosts"
    hosts.write_text(credentials.known_hosts)
    command = ["ssh", "-F", os.devnull, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    command += ["-o", f"UserKnownHostsFile={hosts}", "-o", "ConnectTimeout=10", "-o", "IdentitiesOnly=yes"]
    if credentials.ssh_key:
        key = scratch / "key"
        key.touch(mode=0o600)
        key.write_text(credentials.ssh_key.rstrip("\n") + "\n")
        command += ["-i", str(key)]
    return shlex.join(command)
