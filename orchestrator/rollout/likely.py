"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def likely(given: str, known: Iterable[str]) -> str:
    """The known name that looks most like the given one; empty where none looks like it.

    Where case alone tells two names apart it is that one.
    """
    names = sorted(set(known) - {given})
    by_case = next((n for n in names if n.casefold() == given.casefold()), "")
    return by_case or next(iter(difflib.get_close_matches(given[:253], names, n=1, cutoff=0.6)), "")
