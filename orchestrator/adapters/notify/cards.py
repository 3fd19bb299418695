"""A message as Slack and Teams draw it: Block Kit and an Adaptive Card.

What others wrote goes into elements that know no markup: plain_text of Slack, TextRun of an Adaptive Card. It runs in the
process that sends, and imports nothing of the project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Block Kit, https://docs.slack.dev/reference/block-kit/blocks: characters of a header and of a text object.
MOST_HEADER, MOST_SECTION = 150, 3000
# A webhook of Teams takes 28 KB; a character may take six bytes as JSON.
MOST_CARD = 4000
COLOURS = {"info": "#2E7D32", "warning": "#B26A00", "critical": "#B3261E"}
TONES = {"info": "Good", "warning": "Warning", "critical": "Attention"}  # of an Adaptive Card's text
CARD = "http://adaptivecards.io/schemas/adaptive-card.json"


def blocks(given: Mapping[str, Any]) -> dict[str, Any]:
    """An attachment of Slack: a header, a section for each paragraph, the link, and small print."""
    title = _cut(given["title"], MOST_HEADER)
    found: list[dict[str, Any]] = [{"type": "header", "text": _plain(title)}]
    found += [{"type": "section", "text": _plain(text)} for text in _paragraphs(given["body"], MOST_SECTION)]
    if given["link"]:
        link = f"<{_escaped(given['link'])}|{_escaped(given['label'])}>"
        found.append({"type": "section", "text": {"type": "mrkdwn", "text": f"*{link}*"}})
    if given["small"]:
        found.append({"type": "context", "elements": [_plain(_cut(given["small"], MOST_HEADER))]})
    return {"fallback": title, "color": COLOURS[given["severity"]], "blocks": found}


def card(given: Mapping[str, Any]) -> dict[str, Any]:
    """A message of Teams that holds one Adaptive Card; its link is a button."""
    title = _runs(
        _cut(given["title"], MOST_HEADER), weight="Bolder", size="Medium", color=TONES[given["severity"]]
    )
    body = [title]
    for text in _paragraphs(given["body"], MOST_CARD):
        first, *rest = text.split("\n")
        body += [_runs(first, spacing="Medium"), *(_runs(line, spacing="None") for line in rest)]
    if given["small"]:
        body.append(_runs(given["small"], size="Small", subtle=True, spacing="Medium"))
    link = {"type": "Action.OpenUrl", "title": given["label"], "url": given["link"]}
    content = {
        "$schema": CARD,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": given["title"],
        "msteams": {"width": "Full"},
        "body": body,
        **({"actions": [link]} if given["link"] else {}),
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return {"type": "message", "attachments": [attachment]}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _runs(text: str, spacing: str = "", subtle: bool = False, **look: str) -> dict[str, Any]:
    """A line whose text is shown as it is: a RichTextBlock knows no Markdown, and breaks no line at a newline."""
    run: dict[str, Any] = {"type": "TextRun", "text": text or " ", **look}
    if subtle:
        run["isSubtle"] = True
    return {"type": "RichTextBlock", "inlines": [run], **({"spacing": spacing} if spacing else {})}


def _paragraphs(body: str, most: int) -> Sequence[str]:
    return [_cut(text, most) for text in body.split("\n\n") if text.strip()]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(text: str) -> str:
    """The three characters that Slack's mrkdwn asks for."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "%7C")
