"""What a rule of lint is."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Rule:
    """What a rule looks for; `text` is for people who see it the first time, `fix` says in a line what to do."""

    id: str
    severity: Severity
    title: str
    text: str
    fix: str
