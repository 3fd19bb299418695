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
]
ALIKE = 0.8  # of a key that is misspelt, to the word that was meant
MOST_KEY = 40  # characters of one that may be misspelt
MOST_ABOVE = 2000  # lines in which the key is looked for that a line belongs to


def withheld(text: bytes, before: Sequence[str], line: str) -> str:
    """Why a line of a file is not shown, in words; empty where it may be. `before` are the lines above it."""
    if _SECRET.search(text):
        return "a Secret stands in the file"
    return "a credential may stand there" if _of_credential(before[-MOST_ABOVE:], line) else ""


def masked(line: str) -> str:
    """Stars in place of what looks like a credential; as many, for the caret's sake."""
    text = _LOGIN.sub(lambda found: "*" * len(found[0]), line)
    for found in _KEY.finditer(text):
        if credential_key(found["key"]):
            value = text[found.end() :]
            blank = len(value) - len(value.lstrip())
            return text[: found.end() + blank] + "*" * (len(value) - blank)
    return text


@lru_cache(maxsize=4096)  # bodies and files repeat their keys
def credential_key(key: str) -> bool:
    """Whether a key names a credential, also misspelt, as keys with mistakes are; one that names a Secret does not."""
    plain = re.sub(r"[-_]", "", key).lower()
    if plain.endswith(("ref", "name", "file")):
        return False
    return plain.endswith(tuple(_CREDENTIALS)) or (
        len(plain) <= MOST_KEY and bool(difflib.get_close_matches(plain, _CREDENTIALS, 1, ALIKE))
    )


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
    return found is not None and credential_key(found["key"])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
