"""What mkdocs does to a page as it reads it: the name of another one in its text, as docs/NAME.md, becomes a link."""

from __future__ import annotations

import re
from typing import Any

# A name in prose or in code of its own; other code is passed over, and so is the target of a link.
NAMED = re.compile(r"`docs/(?P<code>[\w/-]+\.md)`|`[^`]*`|(?<!\]\()(?<![\w/-])docs/(?P<prose>[\w/-]+\.md)")
CODE = re.compile(r"(^```.*?^```\s*$|^    [^\n]*$)", re.S | re.M)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Leaves code as it is."""
    here = page.file.src_uri
    up = "../" * here.count("/")

    def linked(found: re.Match[str]) -> str:
        name = found["code"] or found["prose"]
        target = files.get_file_from_path(name) if name and name != here else None
        return f"[{title(target.content_string)}]({up}{name})" if target else found[0]

    parts = CODE.split(markdown)
    return "".join(part if i % 2 else NAMED.sub(linked, part) for i, part in enumerate(parts))


def title(markdown: str) -> str:
    """The page's first heading."""
    found = re.search(r"^# (.+)$", markdown, re.M)
    return found[1] if found else ""
