"""docs/settings.md, written from the settings' model."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from orchestrator.server.settings import Leaf, Settings, leaves

HEAD = """# Settings of `netpol-canary serve`

A flag wins over a variable of the environment, a variable over the file that `--config` names. The file is YAML with
the same names, a section being a mapping:

```yaml
log: json
controller: {poll_seconds: 60}
webhooks: {secret_ref: webhooks}
```

In the cluster the variables stand in the Deployment of config/manager. An editor checks the file by its schema
(docs/editors.md).

This page is written by `netpol-canary settings --docs`.
"""


def page() -> str:
    """The whole page, as Markdown."""
    sections: dict[str, list[Leaf]] = {}
    for leaf in leaves():
        sections.setdefault(leaf.path[0] if len(leaf.path) > 1 else "", []).append(leaf)
    return "\n".join([HEAD, *(line for name, found in sections.items() for line in _section(name, found))])


def _section(name: str, found: list[Leaf]) -> Iterator[str]:
    if name:
        yield f"\n## {name}\n\n{Settings.model_fields[name].description}\n"
    yield "| setting | variable | default | |\n|---|---|---|---|"
    for leaf in found:
        text = " ".join((leaf.field.description or "").split()).replace("|", "\\|")
        yield f"| `{leaf.name}` | `{leaf.variable}` | {_default(leaf)} | {text} |"


def _default(leaf: Leaf) -> str:
    if leaf.field.is_required():
        return "required"
    value = leaf.field.get_default(call_default_factory=True)
    if value is None or isinstance(value, SecretStr) or value in ("", (), [], {}):
        return ""
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    return json.dumps(value, default=str) if not isinstance(value, str) else value
