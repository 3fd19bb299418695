"""The process that sends one message through apprise, and may be killed at any time: `python -m` of this file.

It reads JSON from standard input (urls with numbers, the message, seconds) and writes JSON: `sent`,
the numbers of the URLs that took it, and `problems`. So addresses stand in no process list.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import re
import resource
import signal
import sys
from typing import Any

from orchestrator.adapters.notify.cards import blocks, card

MEMORY, FILES, SECONDS = 1 << 29, 1 << 20, 30
LOCAL = frozenset(
    {"dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows", "syslog", "blink1", "file", "exec"}
)
KINDS = {"info": "info", "warning": "warning", "critical": "failure"}
ID_HEADER = "X-Netpol-Canary-Id"
_PARTS = re.compile(r"[^A-Za-z0-9_.~+-]+")


def main() -> None:
    """Always one line of JSON, whatever plugins print."""
    given = json.load(sys.stdin)
    signal.alarm(math.ceil(given["seconds"]) + 1)  # whoever started it may be gone by then
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILES),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    with contextlib.redirect_stdout(sys.stderr):
        found = _sent(given)
    print(json.dumps(found))


def _sent(given: dict[str, Any]) -> dict[str, Any]:
    try:
        import apprise
    except ImportError:
        return {"sent": [], "problems": ["missing"]}
    notes = _Notes()
    logger = logging.getLogger("apprise")
    logger.addHandler(notes)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    sent, problems = [], []
    for number, url in given["urls"]:
        notes.first = ""
        try:
            problem = _one(apprise, url, given, notes)
        except Exception as error:  # a plugin may raise anything
            problem = f"{type(error).__name__}: {error}"
        if problem:
            problems.append(f"address {number + 1}: {_clean(problem, url)}")
        else:
            sent.append(number)
    return {"sent": sent, "problems": problems}


def _one(apprise: Any, url: str, given: dict[str, Any], notes: _Notes) -> str:
    """What is wrong; empty where it was sent."""
    scheme = url.partition("://")[0].lower()
    known = apprise.NotificationManager()
    if scheme in LOCAL or (scheme in known and is_local(known[scheme])):
        return f"{scheme}:// speaks to this machine, not to people: it is refused"
    if "://" not in url or scheme not in known:
        return "it is no address that apprise knows"
    asset = apprise.AppriseAsset(
        app_id="netpol-canary", app_desc="netpol-canary", app_url="", async_mode=False, secure_logging=True
    )
    plugin = apprise.Apprise.instantiate(url, asset=asset)
    if plugin is None:
        return "apprise cannot use it: it is incomplete, or needs a package that is not installed"
    if isinstance(getattr(plugin, "headers", None), dict):
        plugin.headers[ID_HEADER] = given["id"]
    _draw(scheme, plugin, given)
    sender = apprise.Apprise(asset=asset)
    sender.add(plugin)
    taken = sender.notify(
        body="\n".join(part for part in (given["body"], given["small"], given["link"]) if part),
        title=given["title"],
        notify_type=KINDS[given["severity"]],
        body_format=apprise.NotifyFormat.TEXT,
    )
    return "" if taken else notes.first or "it was not taken"


def _draw(scheme: str, plugin: Any, given: dict[str, Any]) -> None:
    """Slack and Teams get a card of ours, where the address names no template of its own; apprise sends it."""
    make = {"slack": blocks, "workflows": card, "workflow": card}.get(scheme)
    if make is None or plugin.template:
        return
    drawn = make(given)
    plugin.gen_payload = lambda *args, **more: drawn
    if scheme == "slack":  # asks for a template before it takes blocks that it did not make
        plugin.use_blocks, plugin.template = True, True


def is_local(plugin: Any) -> bool:
    """Whether a plugin needs no address at all, and so speaks to the machine that it runs on."""
    return any(str(template).rstrip("/") == "{schema}:" for template in plugin.templates)


def _clean(text: str, url: str) -> str:
    """One line without anything of the address but its scheme."""
    for part in sorted(set(_PARTS.split(url.partition("://")[2])), key=len, reverse=True):
        if len(part) > 5:
            text = text.replace(part, "***")
    return " ".join(text.split())[:300]


class _Notes(logging.Handler):
    """Keeps the first warning: apprise itself says only yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


if __name__ == "__main__":
    main()
