"""No test ends because a machine is busy: what waits for a real part has one generous end, in patience.py."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TIMED = ("cluster", "contract", "browser", "server", "cli", "adapters", "probe", "config", "docs")
# Ends in seconds that stand in a test: of kubectl, of a process, of a thread, of a wait.
SHORT = (
    r"--timeout=\d",
    r"communicate\(timeout=\d",
    r"\b(child|process|thread|engine|controller|client|reader|kubelet)\.(wait|join)\((timeout=)?\d",
    r"assert [\w.]+\.wait\(\d",
    r"\b(eventually|soon)\(.*, (seconds=)?\d+(\.\d+)?\)",
    r"timeout=\d{1,2}, (check|capture_output|text)",
    r"monotonic\(\) - \w+ < \d{1,2}\b",
)


@pytest.mark.parametrize("pattern", SHORT)
def test_nothing_is_timed_by_a_short_end_of_its_own(pattern):
    found = []
    for folder in TIMED:
        for file in (HERE / folder).rglob("*.py"):
            lines = file.read_text().splitlines()
            found += [
                f"{file.relative_to(HERE)}:{n}: {line.strip()}"
                for n, line in enumerate(lines, 1)
                if re.search(pattern, line)
            ]
    assert found == []
