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
_CUT = re.compile(rb"^---[^\n]*\n", re.MULTILINE)
_CONTENT = re.compile(rb"^(?! *(?:#|$))", re.MULTILINE)


def plain(text: bytes) -> Sequence[tuple[Any, int]] | None:
    """The documents of a text with the line at which each begins, those that hold nothing left out; None where it is not of this form."""
    text = text if text.endswith(b"\n") else text + b"\n"
    if (
        len(text) > MOST_BYTES
        or VALUES_OF_A_LINE * text.count(b"\n") + text.count(b",") > MOST_VALUES
        or not _PLAIN.fullmatch(text)
        or _LISTS.search(text)
    ):
        return None
    lines, at = [], 0
    parts = _CUT.split(text)
    if len(parts) > MOST_PARTS:
        return None
    for number, part in enumerate(parts):
        content = _CONTENT.search(part)
        if content:
            lines.append(at + part.count(b"\n", 0, content.start()) + 1)
        at += part.count(b"\n") + (number < len(parts) - 1)
    try:
        found = [value for value in yaml12.parse_yaml(text.decode(), multi=True) if value is not None]
    except ValueError:
        return None
    keys = len(_KEYS.findall(text))
    nested = [value for value in found if value.__class__ in (dict, list)]
    if len(found) != len(lines) or _entries(nested) != keys:  # a key that stands twice
        return None
    return list(zip(found, lines, strict=True))


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
