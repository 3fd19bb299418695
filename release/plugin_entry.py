"""What the kubectl plugin's archive begins with: the command, whose child processes get the machine's own libraries.

The archive's loader names its libraries to every process; git, ssh and credential plugins must not take them for theirs.
"""

import os

KEPT = "LD_LIBRARY_PATH_ORIG"  # by PyInstaller's loader, where something stood there before

if KEPT in os.environ:
    os.environ["LD_LIBRARY_PATH"] = os.environ.pop(KEPT)
else:
    os.environ.pop("LD_LIBRARY_PATH", None)

from orchestrator.cli.main import main  # noqa: E402

if __name__ == "__main__":
    main()
