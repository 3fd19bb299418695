"""What somebody may have meant who named something that is not here."""

import difflib
import ipaddress
import re
from collections.abc import Collection, Iterable

MOST_NAMES = 20_000
MOST_TEXT = 253  # as long as a name may be
_LIKE_ADDRESS = re.compile(r"\d+(\.\d+){2,}|[0-9a-fA-F]*:[0-9a-fA-F:.]+")


def nearest(given: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names that are spelt most alike, the likeliest first; a part after the last / may be meant alone."""
    known = list(dict.fromkeys(names))[:MOST_NAMES]
    by_text = {name.lower(): name for name in reversed(known)}
    by_end = {name.lower().rpartition("/")[2]: name for name in reversed(known)}
    text = given[:MOST_TEXT].lower()
    found = [by_text[n] for n in difflib.get_close_matches(text, by_text, most)]
    found += [by_text[n] for n in by_text if len(n) == len(text) and sorted(n) == sorted(text)]  # bd for db
    if "/" not in text:
        found += [by_end[n] for n in difflib.get_close_matches(text, by_end, most)]
    return list(dict.fromkeys(found))[:most]


def did_you_mean(given: str, names: Collection[str], otherwise: str) -> str:
    """A hint for an error: the nearest names, or what else to do where none is near."""
    found = nearest(given, names)
    return f"did you mean {' or '.join(found)}?" if found else otherwise


def no_address(text: str) -> bool:
    """Whether a text was meant as an address and is none, such as 10.0.0.300."""
    if not _LIKE_ADDRESS.fullmatch(text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return False


def likely(given: str, known: Iterable[str]) -> str:
    """The other name that looks most like the given one; empty where none looks like it."""
    return next(iter(nearest(given, sorted(set(known) - {given}), 1)), "")
