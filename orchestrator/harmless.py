"""Text of others made harmless, one function an output: commits, manifests, people, clusters and servers write what they like.

Each is used once, at the edge where the text leaves: a terminal or a page (`visible`), a line of its own (`one_line`),
Markdown on Git hosts (`markdown`), GitHub's annotations (`annotation`, `annotation_property`), XML (`xml`), and what is
written into the cluster for people (`texts`). Sources: ECMA-48 for control sequences, Unicode TR 9 and CVE-2021-42574
for bidirectional controls, XML 1.0 section 2.2, GitHub's "Workflow commands" and "GitHub Flavored Markdown".
"""

import re
from typing import Any

REPLACEMENT = "\ufffd"
APART = "\u200b"  # a space of no width: `@all` and `#12` are names here, not calls
# Controls but tab and newline (C0, DEL, C1), bidirectional controls, line and paragraph separators, interlinear and tag
# characters, lone surrogates, noncharacters: they move, hide or reorder what stands around them, or cannot be encoded.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_XML = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # what XML 1.0 cannot hold, even escaped
_MARKUP = re.compile(r"([\\`*|~$]|(?<=\])[(\[:]|^\[|(?<!\w)_|_(?!\w))")
_AUTOLINK = re.compile(r"(?<=\w)://|\b(?=www\.)", re.IGNORECASE)
_CALLS = re.compile(r"((?<!\w)@|[#!~%$]|&amp;|\bgh)(?=[\w-])", re.IGNORECASE)
_LEADING = re.compile(r"^(?=[-+#=]+(?:\s|$))|^(\d+)(?=[.)](?:\s|$))")  # begins a list or makes a heading
_COMMANDS = (
    "add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher|save-state|set-env"
    "|set-output|stop-commands|warning"
)
_COMMAND = re.compile(
    rf"^(\s*):(?=:(?:{_COMMANDS})\b)|##(?=\[|vso\[|teamcity\[)", re.IGNORECASE | re.MULTILINE
)
_FREE_TEXT = frozenset({"message", "reason", "comment", "note", "notes", "why", "alarms", "suspects"})


def visible(text: str) -> str:
    """Lines of text in which nothing moves, hides or reorders what a terminal or a page shows around it."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    """One line without such characters: line breaks of any kind become spaces."""
    return _HIDDEN.sub("", " ".join(text.split()))


def printed(text: str) -> str:
    """Lines for a terminal or the log of a CI job: `visible`, and no line is a command to the CI's runner."""
    if "::" not in text and "##" not in text:  # without which there is no command
        return visible(text)
    return _COMMAND.sub(
        lambda m: f"{m.group(1)}:{APART}" if m.group(1) is not None else f"#{APART}#", visible(text)
    )


def markdown(text: str) -> str:
    """One line for Markdown in which nothing is markup, calls a person, names an issue or becomes a link."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _AUTOLINK.sub(lambda m: f":{APART}//" if m.group() else APART, _MARKUP.sub(r"\\\1", plain))
    return _LEADING.sub(r"\1\\", _CALLS.sub(rf"\1{APART}", plain))


def code(text: str) -> str:
    """One line as a code span, whatever backticks it holds; a pipe is escaped, so that it may stand in a table's cell."""
    plain = one_line(text).replace("|", "\\|")
    runs = {len(run) for run in re.findall("`+", plain)}
    ticks = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    room = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{room}{plain}{room}{ticks}"


def mermaid(text: str) -> str:
    """A label within quotes of a mermaid graph: letters, digits and what names and ports hold."""
    return re.sub(r"[^\w /.,:\[\]-]", " ", one_line(text))


def annotation(text: str) -> str:
    """The message of a GitHub annotation."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotation_property(text: str) -> str:
    """A property of a GitHub annotation, such as its file or title."""
    return annotation(text).replace(":", "%3A").replace(",", "%2C")


def xml(text: str) -> str:
    """Text that may stand in XML once it is escaped."""
    return visible(_XML.sub(REPLACEMENT, text))


def texts(value: Any) -> Any:
    """A status as plain data, with the texts for people in it (messages, reasons, comments) made `visible`."""
    if isinstance(value, dict):
        return {k: _clean(v) if k in _FREE_TEXT else texts(v) for k, v in value.items()}
    return [texts(v) for v in value] if isinstance(value, list) else value


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    return [_clean(v) for v in value] if isinstance(value, list) else texts(value)
