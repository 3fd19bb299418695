"""The folders that tests import from, for scripts and processes beside pytest, which has them from pyproject.toml."""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).parent
FOLDERS = tuple(str(p) for p in (TESTS.parent, TESTS, TESTS / "support", TESTS / "servers"))
PYTHONPATH = os.pathsep.join(FOLDERS)

sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]
