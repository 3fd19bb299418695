"""`kubectl_complete-netpol_canary`: kubectl asks it what may stand behind `kubectl netpol-canary`."""

import io
import os
import shlex
import sys
from contextlib import redirect_stdout, suppress

from orchestrator.cli import main
from orchestrator.cli.app import OWN

NO_FILES = ":4"  # kubectl's own word for it: ShellCompDirectiveNoFileComp


def complete() -> None:
    """A name a line, then what kubectl is to do with them; the last argument is the word that is being typed."""
    words = [OWN, *(sys.argv[1:] or [""])]
    os.environ["_NETPOL_CANARY_COMPLETE"] = "complete_bash"
    os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = shlex.join(words), str(len(words) - 1)
    sys.argv = [OWN]
    said = io.StringIO()
    with suppress(SystemExit), redirect_stdout(said):
        main.main()
    print("\n".join([*filter(None, said.getvalue().splitlines()), NO_FILES]))
