"""The command line: `netpol-canary VERB`. Nothing heavy is imported before it is needed."""

import gc
import os
import sys

from orchestrator.cli import completions, edge, live_names
from orchestrator.cli.app import OWN, app
from orchestrator.cli.confidential import request_lines
from orchestrator.errors import BadInput, Forbidden, NetpolCanaryError, NotFound, Refused, RepositoryError

FAULT = 70  # EX_SOFTWARE
TRACEBACK = "NETPOL_CANARY_TRACEBACK"
MOST_SAID = 300


def load() -> None:
    """Every command is known from here on."""
    from orchestrator.cli.commands import (  # noqa: F401, I001 - in the order of --help
        demo,
        repositories,
        rollouts,
        freezes,
        sources,
        records,
        policies,
        generate,
        installation,
        serve,
        argo,
    )

    completions.answer_with(live_names.ANSWERS)


def main() -> None:
    """Run a command; what goes wrong is one line, not a traceback, and below it on a terminal the place in its file."""
    gc.disable()  # what a command makes lives until its end: looking for cycles among it took a sixth of its time and found none
    load()
    edge.guard()
    try:
        code = app(request_lines.leveled(sys.argv[1:]), standalone_mode=False, prog_name=OWN)
        sys.exit(code if isinstance(code, int) else 0)
    except (BadInput, RepositoryError, NotFound) as error:
        _say(error, 2)
    except (Refused, Forbidden) as error:
        _say(error, 1)
    except NetpolCanaryError as error:
        _say(error, 3)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        _usage(error)


def _say(error: Exception, code: int) -> None:
    said = "\n  ".join(str(error).splitlines())  # a line break of others begins no line of its own
    print(f"netpol-canary: {said}", file=sys.stderr)
    if isinstance(error, BadInput) and error.cited is not None:
        from orchestrator.cli.mistakes import frames

        frames.show(error)
    sys.exit(code)


def _usage(error: Exception) -> None:
    """Errors of the command line itself keep typer's own wording, and exit with 2; what is left nobody foresaw."""
    if hasattr(error, "exit_code") and hasattr(error, "format_message"):
        from orchestrator.cli.mistakes.usage import wording

        _say(Exception(wording(error)), 2)
    if type(error).__name__ == "Abort":
        sys.exit(130)
    _fault(error)


def _fault(error: Exception) -> None:
    """Software that is wrong exits as sysexits.h has it, with one line; the traceback is for who asks for it."""
    import traceback
    from pathlib import Path

    if os.environ.get(TRACEBACK, "") not in ("", "0"):
        traceback.print_exception(error)
    at = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {' '.join(str(error).split())[:MOST_SAID]}".removesuffix(": ")
    where = f"({Path(at.filename).name}:{at.lineno})"
    hint = f"{TRACEBACK}=1 shows the traceback"
    _say(Exception(f"this is a fault of netpol-canary: {text} {where}; {hint}"), FAULT)
