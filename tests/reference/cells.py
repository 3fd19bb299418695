"""What mkdocs does to a page's tables: each cell knows its column's name, which a narrow screen shows beside it."""

from __future__ import annotations

import html
import re
from typing import Any

TABLE = re.compile(r"<table>.*?</table>", re.S)
ROW = re.compile(r"<tr>.*?</tr>", re.S)
TAGS = re.compile(r"<[^>]+>")


def on_page_content(content: str, page: Any, config: Any, files: Any) -> str:
    """Code blocks have tables of a class, which are left alone."""
    return TABLE.sub(lambda found: _labelled(found[0]), content)


def _labelled(table: str) -> str:
    names = [TAGS.sub("", name).strip() for name in re.findall(r"<th>(.*?)</th>", table, re.S)]

    def row(found: re.Match[str]) -> str:
        labels = iter(names)
        return re.sub(r"<td", lambda _: f'<td data-label="{html.escape(next(labels, ""))}"', found[0])

    return ROW.sub(row, table)
