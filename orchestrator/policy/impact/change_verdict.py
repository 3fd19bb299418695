"""What becomes of a change of policies before anybody writes it: fine, for a person to look at, or blocked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.policy.impact.risk import LEVELS, Level, Risk
from orchestrator.wording import many

Word = Literal["fine", "allowed", "look", "blocked"]
CODES: dict[Word, int] = {"fine": 0, "allowed": 0, "look": 3, "blocked": 1}
_SIGNS: dict[Word, str] = {
    "fine": "✅ fine",
    "allowed": "⚠️ allowed",
    "look": "👀 a person has to review it",
    "blocked": "❌ blocked",
}


@dataclass(frozen=True)
class Verdict:
    """`allowed` is for what --max-risk alone lets pass: nothing above low is called fine."""

    word: Word
    text: str

    @property
    def code(self) -> int:
        """0, 1 where it is blocked, 3 where a person has to review it."""
        return CODES[self.word]


def decide(
    found: Risk, most: Level | None, blocks: Sequence[str], beside: int = 0, unknown: int = 0
) -> Verdict:
    """`beside` is how many things are listed with what blocks. `most` is the level that is let pass, and what is above it is blocked; without, medium is for a person and high blocked.

    `unknown` is how many workloads were not compared: a change of theirs counts as medium.
    """
    level = max(LEVELS.index(found.level), LEVELS.index("medium") if unknown else 0)
    word: Word = "fine" if level <= LEVELS.index("low") else "allowed"
    if blocks or level > LEVELS.index(most or "medium"):
        word = "blocked"
    elif most is None and level == LEVELS.index("medium"):
        word = "look"
    if found.level == "none":
        risk = "no connection changes"
    else:
        more = f" (and {len(found.reasons) - 1} more)" if len(found.reasons) > 1 else ""
        risk = f"risk {found.level}: {found.reasons[0]}{more}"
    if unknown:
        risk += f", {many(unknown, 'workload')} not compared"
    listed = len(blocks) + beside
    why = f"{many(listed, 'problem')}, " if blocks else ""
    by = f" by --max-risk {most}" if word == "allowed" else ""
    return Verdict(word, f"{_SIGNS[word]}{by}, {why}{risk}")
