"""The folders that tests import from, for scripts and processes beside pytest, which has them from pyproject.toml."""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).parent
WITHIN = (
    "",
    "support",
    "support/faults",
    "support/naive",
    "support/scenes",
    "servers",
    "cluster/parts",
    "cluster/scenes",
    "cluster/node",
)
FOLDERS = (str(TESTS.parent), *(str(TESTS / folder) for folder in WITHIN))
PYTHONPATH = os.pathsep.join(FOLDERS)

sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]
