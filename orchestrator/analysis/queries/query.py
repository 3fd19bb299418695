"""Query templates: `$namespaces` (one query for a whole wave), `$namespace` (one query each), `$window`."""

import re
from collections.abc import Sequence


def resolve(template: str, namespaces: Sequence[str], window: int) -> list[str]:
    """The PromQL to send; `window` is in seconds."""
    text = template.replace("$window", f"{window}s")
    pattern = "|".join(re.escape(n).replace("\\-", "-") for n in namespaces)
    if "$namespaces" in text or "$namespace" not in text:
        return [text.replace("$namespaces", pattern)]
    return [text.replace("$namespace", name) for name in namespaces]
