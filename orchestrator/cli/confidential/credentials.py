"""What of a file is shown to nobody: Secrets, and what looks like a credential."""

import difflib
import re
from collections.abc import Sequence
from functools import lru_cache

_SECRET = re.compile(
    rb"""kind["']?\s*:\s*(?:[!&]\S*\s+)*["']?\w*secret|["']?stringData["']?\s*:""", re.IGNORECASE
)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_KEY = re.compile(r"""(?<![\w-])(?P<key>[\w-]+)["']?\s*[:=]""")  # from a word's beginning alone: linear
_OPEN = re.compile(r":\s*([|>][-+0-9]*)?\s*(#.*)?$")  # a value that begins in the next line
_CREDENTIALS = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "bearer",
    "authorization",
    "credentials",
    "apikey",
    "privatekey",
    "keys",  # of sessions, in settings
]
ALIKE = 0.8  # of a key that is misspelt, to the word that was meant
MOST_KEY = 40  # characters of one that may be misspelt
MOST_ABOVE = 2000  # lines in which the key is looked for that a line belongs to


def withheld(text: bytes, lines: Sequence[str], number: int) -> str:
    """Why a line of a file is not shown, in words; empty where it may be. `lines` are all of it, `number` counts from 1."""
    if _holds_secret(text):
        return "a Secret stands in the file"
    before, line = lines[max(number - 1 - MOST_ABOVE, 0) : number - 1], "".join(lines[number - 1 : number])
    return "a credential may stand there" if _of_credential(before, line) else ""


@lru_cache(maxsize=8)  # of a file with many findings each asks for the same
def _holds_secret(text: bytes) -> bool:
    return _SECRET.search(text) is not None


def masked(line: str) -> str:
    """Stars in place of what looks like a credential; as many, for the caret's sake."""
    text = _LOGIN.sub(lambda found: "*" * len(found[0]), line)
    for found in _KEY.finditer(text):
        if _credential(found):
            value = text[found.end() :]
            blank = len(value) - len(value.lstrip())
            return text[: found.end() + blank] + "*" * (len(value) - blank)
    return text


@lru_cache(maxsize=4096)  # bodies and files repeat their keys
def credential_key(key: str) -> bool:
    """Whether a key names a credential, also misspelt, as keys with mistakes are; one that names a Secret does not."""
    plain = re.sub(r"[-_]", "", key).lower()
    if plain.endswith(("ref", "name", "file")) or plain == "key":  # which is a label's
        return False
    return plain.endswith(tuple(_CREDENTIALS)) or (
        len(plain) <= MOST_KEY and bool(difflib.get_close_matches(plain, _CREDENTIALS, 1, ALIKE))
    )


def _credential(found: re.Match[str]) -> bool:
    """Whether a key with its value is a credential's; what holds several keys is."""
    several = found["key"] == "key" and found.string[found.end() :].lstrip().startswith("[")
    return several or credential_key(found["key"])


def _of_credential(before: Sequence[str], line: str) -> bool:
    """Whether the line belongs to a key above that names a credential; so it does where the line before it does.

    A line that is indented wrongly is no witness of what it belongs to.
    """
    above = [*filter(str.strip, before)]
    if not above:
        return False
    *further, last = above
    return (
        _within(above, line)
        or _within(further, last)
        or (_names_credential(last) and bool(_OPEN.search(last)))
    )


def _within(above: Sequence[str], line: str) -> bool:
    depth = _indent(line)
    for holder in reversed(above):
        if _indent(holder) < depth:
            depth = _indent(holder)
            if _names_credential(holder):
                return True
    return False


def _names_credential(line: str) -> bool:
    found = _KEY.search(line)
    return found is not None and _credential(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
