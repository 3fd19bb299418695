"""What is said where a command line itself is wrong: typer's words, and one fix."""

import re
from typing import Any

from orchestrator.cli.app import OWN

_SUGGESTED = re.compile(r"(?P<wrong>.+?)\. Did you mean (?P<meant>.+)\?", re.DOTALL)
_NO_COMMAND = "No such command"


def wording(error: Any) -> str:
    """One line for an error of typer's."""
    text = str(error.format_message())
    context = getattr(error, "ctx", None)
    path = _path(context)
    near = getattr(error, "possibilities", None)
    if near is not None or (hasattr(error, "option_name") and text.startswith("No such option")):
        fix = f"did you mean {' or '.join(sorted(near))}?" if near else f"`{path} --help` lists them"
        return f"{error.message}; {fix}"
    if found := _SUGGESTED.fullmatch(text):
        meant = found["meant"].replace("'", "").replace(", ", " or ")
        return f"{found['wrong']}; did you mean {meant}?"
    if text.startswith(_NO_COMMAND):
        return f"{text.rstrip('.')}; `{path} --help` lists them"
    return text


def _path(context: Any) -> str:
    """The command as people type it, whatever the program is called."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    return " ".join([OWN, *names])
