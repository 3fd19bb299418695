"""docs/reference/cli.md: every command, argument and option, from the command line's own objects."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from orchestrator.cli import main
from orchestrator.cli.app import app
from reference.tables import cell, code, table

HEAD = """# Commands

This page is written from the program itself by `make reference`. `netpol-canary COMMAND --help` says the same,
`netpol-canary --version` prints the version, and `kubectl netpol-canary` is the same program.

## Exit codes

| code | means |
|---|---|
"""
EXIT_CODES = {
    0: "done",
    1: "rolled back, refused by a check, or not allowed",
    2: "bad input: what was typed, a file, a repository, or something that does not exist",
    3: "paused (for a person, a window, capacity), or what is needed gave no answer",
    4: "what is in the cluster differs from what it should be restored to",
    70: "a fault of netpol-canary itself: one line says where; NETPOL_CANARY_TRACEBACK=1 shows the traceback",
    130: "interrupted",
}
KINDS = {str: "text", int: "whole number", float: "number", Path: "path", bool: "flag"}
ANCHOR = "netpol-canary-"


def root() -> Any:
    """The whole command line, as the group that typer makes of it."""
    main.load()
    return typer.main.get_command(app)


def commands() -> dict[str, Any]:
    """Every command that people see, by its words, `metrics try` after `metrics`."""
    return dict(sorted(_below(root(), ())))


def _below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            yield " ".join((*path, name)), command
            yield from _below(command, (*path, name))


def page() -> str:
    """The whole page, as Markdown."""
    found = commands()
    codes = "\n".join(f"| {number} | {text} |" for number, text in EXIT_CODES.items())
    rows = [
        (f"[`{name}`](#{ANCHOR}{name.replace(' ', '-')})", cell(first(command.help)))
        for name, command in found.items()
    ]
    parts = [HEAD + codes, "\n## All of them\n", table(("command", "does"), rows)]
    return "\n".join([*parts, *(_section(name, command) for name, command in found.items())])


def first(text: str | None) -> str:
    """The first paragraph of a help text, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _section(name: str, command: Any) -> str:
    lines = [f"\n## netpol-canary {name}\n", inspect.cleandoc(command.help or ""), ""]
    if not hasattr(command, "commands"):
        lines += [f"    {usage(name, command)}", ""]
    if command.epilog:
        lines += ["Example:\n", f"    {command.epilog.removeprefix('Example:').strip()}", ""]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    hints = kinds(command)
    if arguments:
        rows = [_row(p, f"`{label(p)}`", hints) for p in arguments]
        lines += [table(("argument", "value", "default", ""), rows), ""]
    if options:
        rows = [_row(p, spelt(p), hints) for p in options]
        lines += [table(("option", "value", "default", ""), rows), ""]
    return "\n".join(lines).rstrip()


def usage(name: str, command: Any) -> str:
    """One line: required options are spelt out."""
    words = [f"netpol-canary {name}"]
    for p in command.params:
        if p.param_type_name == "argument":
            plain = label(p)
            words.append(plain if p.required else f"[{plain}]")
        elif p.required:
            words.append(f"{p.opts[-1]} {p.metavar or p.name.upper()}")
    return " ".join([*words, "[OPTIONS]"])


def label(parameter: Any) -> str:
    """An argument's name in capitals, with dots where it may stand several times."""
    plain = (parameter.metavar or parameter.name.upper()).strip("[]")
    return plain if parameter.nargs == 1 or plain.endswith("...") else f"{plain}..."


def spelt(parameter: Any) -> str:
    """Every way in which an option may be typed."""
    return ", ".join(f"`{text}`" for text in (*parameter.opts, *parameter.secondary_opts))


def kinds(command: Any) -> dict[str, tuple[str, Any]]:
    """Of each parameter the kind of its value in words, and what typer was told of it."""
    if command.callback is None:
        return {}
    hints = {
        p.name: p.annotation for p in inspect.signature(command.callback, eval_str=True).parameters.values()
    }
    return {
        name: (_kind(hint), next(iter(getattr(hint, "__metadata__", ())), None))
        for name, hint in hints.items()
    }


def _kind(hint: Any) -> str:
    while hasattr(hint, "__metadata__"):
        hint = hint.__origin__
    parts = typing.get_args(hint)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return _kind(next(p for p in parts if p is not type(None)))
    if typing.get_origin(hint) is list:
        return f"{_kind(parts[0])}, may be repeated"
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in parts)
    return KINDS.get(hint) or ", ".join(f"`{member.value}`" for member in hint)


def _row(parameter: Any, shown: str, hints: dict[str, tuple[str, Any]]) -> tuple[str, str, str, str]:
    kind, told = hints.get(parameter.name, ("text", None))
    bounds = [
        f"{word} {value}"
        for word, value in (("from", getattr(told, "min", None)), ("to", getattr(told, "max", None)))
        if value is not None
    ]
    known = parameter.param_type_name == "option" and parameter.metavar
    named = f"`{parameter.metavar}`" if known and kind in ("text", "path") else kind
    variable = getattr(parameter, "envvar", None)
    text = cell(parameter.help or "") + (f" (variable `{variable}`)" if variable else "")
    return shown, " ".join([named, *bounds]), _default(parameter), text


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return code(parameter.show_default)
    value = parameter.default
    if value is None or callable(value) or value in ("", (), [], False):
        return ""
    if value is True:
        return code(parameter.opts[0])
    return code(value if isinstance(value, str) else json.dumps(value, default=str))
