"""What is wrong with a manifest parted from what helps: an error tells one fix, and a drawing shows it by itself."""

import re

_FIX = re.compile(r"(?P<wrong>.+?)(?:[,:;] )(?P<fix>(?:did you mean|put|take|write) .+)", re.DOTALL)
CORRECT = "correct the manifest"


def remedy(problem: str, otherwise: str = CORRECT) -> tuple[str, str]:
    """A problem and its fix, of a text that may end with one; `otherwise` where it does not."""
    found = _FIX.fullmatch(problem)
    return (found["wrong"], found["fix"]) if found else (problem, otherwise)
