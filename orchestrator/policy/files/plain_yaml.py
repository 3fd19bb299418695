"""YAML as most manifests are written, read by a faster parser: block mappings and lists of simple words, numbers and quoted text.

Every parser reads such text alike; what is not of this form, or has a mistake, is for yaml_text.py, whose answer the property
tests hold this one to. There are no anchors and no tags in it, and its size bounds its depth and the number of its values.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml12

MOST_BYTES = 1 << 20
MOST_VALUES = 96_000
VALUES_OF_A_LINE = 7  # at most: three lists, a mapping, a key, a value or a list of several, of which each has a comma but one
MOST_PARTS = 4_000
_NO_TEXT = (
    rb"(?i:true|false|yes|no|on|off|null)"  # as a whole: YAML 1.1 and 1.2 read some of them in two ways
)
_KEY = rb"(?!" + _NO_TEXT + rb":)[A-Za-z_](?:[A-Za-z0-9_./-]|:(?=[A-Za-z0-9]))*+"
_WORDS = rb"(?!" + _NO_TEXT + rb" *(?: #[^\n]*)?\n)[A-Za-z/](?:[!-9;-~]|:(?=[!-~])| (?=[!\"$-9;-~]))*+"
_ITEM = (
    rb"(?:(?!" + _NO_TEXT + rb"[,\]])[A-Za-z][A-Za-z0-9_./-]*+|\"[ !#-+\--\[^-~]*+\")"
)  # no comma, nothing that closes
_VALUES = (
    _WORDS,
    rb"(?:true|false)",
    rb"(?:0|-?[1-9][0-9]{0,14})",
    rb"[1-9][0-9]*(?:m|Ki|Mi|Gi|s)",
    rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?",
    rb"\"[ !#-\[\]-~]*+\"",
    rb"'[ -&(-~]*+'",
    rb"\{\}",
    rb"\[(?:" + _ITEM + rb"(?:, ?" + _ITEM + rb")*+)?+\]",
)
_VALUE = rb"(?:" + rb"|".join(_VALUES) + rb")(?= *\n| +#)"
_INDENT = rb" {0,24}+(?! )"
_LINES = (
    _INDENT + rb"(?:- ){0,3}+" + _KEY + rb":(?: " + _VALUE + rb")?+",
    _INDENT + rb"(?:- ){1,3}+" + _VALUE,
    rb"---",
    rb"",
)
_PLAIN = re.compile(rb"(?:(?:" + rb"|".join(_LINES) + rb")(?: *+(?:(?<![!-~])#[ -~]*+)?+)\n)*+")
_KEYS = re.compile(rb"^ *+(?:- )*+" + _KEY + rb":", re.MULTILINE)
_LISTS = re.compile(rb"^ *items:", re.MULTILINE)  # each of whose items has a line of its own
_FIELD = re.compile(rb"[A-Za-z_]")  # how one of an object begins, and no other line of it
_CUT = re.compile(rb"\n(?=" + _FIELD.pattern + rb"|---)")
_BETWEEN = re.compile(rb"(?:---[^\n]*)?(?:(?:^|\n) *(?:#[^\n]*)?+)*+")

# Fields of objects by their text, such as `kind: Pod`; None stands for what is between two objects.
Fields = dict[bytes, tuple[str, Any] | None]


def plain(text: bytes, known: Fields) -> Sequence[tuple[Any, int]] | None:
    """The documents of a text with the line at which each begins, those that hold nothing left out; None where it is not of this form.

    A field whose text is `known` is not read again: objects share the values of what many of them say in the same words.
    """
    if (
        len(text) > MOST_BYTES
        or VALUES_OF_A_LINE * text.count(b"\n") + text.count(b",") > MOST_VALUES
        or text.count(b"---") > MOST_PARTS
    ):
        return None
    parts = _CUT.split(text.rstrip(b"\n"))
    new = [part for part in dict.fromkeys(parts) if part not in known]
    if new and not _read(new, known):
        return None
    found: list[tuple[Any, int]] = []
    obj: dict[str, Any] | None = None
    line = 1
    for part in parts:
        if (field := known[part]) is None:
            obj = None
        elif obj is None:
            obj = dict([field])
            found.append((obj, line))
        elif field[0] in obj:
            return None
        else:
            obj[field[0]] = field[1]
        line += part.count(b"\n") + 1
    return found


def _read(parts: Sequence[bytes], known: Fields) -> bool:
    """Make some parts known, if all of them are of this form."""
    text = b"\n".join(parts) + b"\n"
    if not _PLAIN.fullmatch(text) or _LISTS.search(text):
        return False
    between = dict.fromkeys(part for part in parts if _BETWEEN.fullmatch(part))
    fields = [part for part in parts if part not in between]
    if not all(map(_FIELD.match, fields)):
        return False
    values: list[Any] = []
    try:
        if fields:
            values += yaml12.parse_yaml(b"\n---\n".join(fields).decode(), multi=True)
    except ValueError:
        return False
    if [value.__class__ is dict and len(value) for value in values] != [1] * len(fields):
        return False
    entries = _entries(values.copy())
    # A key that stands twice is one entry. The quick count takes what quotes and comments hold for keys, too.
    if entries != text.count(b": ") + text.count(b":\n") and entries != len(_KEYS.findall(text)):
        return False
    known.update(between)
    known.update((part, *value.items()) for part, value in zip(fields, values, strict=True))
    return True


def _entries(values: list[Any]) -> int:
    """How many keys mappings have, at all depths."""
    count, left = 0, values
    while left:
        value = left.pop()
        if value.__class__ is dict:
            count += len(value)
            value = value.values()
        left += [v for v in value if v.__class__ is dict or v.__class__ is list]
    return count
