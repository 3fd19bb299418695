"""values.yaml with a comment for each value, and the chart's README with their table."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from reference.tables import cell, code, table

from chart.values import SECTIONS, VALUES

WIDTH, LONGEST = 110, 60
HEAD = """\
# The values of netpol-canary, as they are by default. A misspelt one is refused (values.schema.json).
# Written by `make chart`: change tests/chart/values.py, or config/ where a default stands there.
"""
README = """\
# netpol-canary, as a Helm chart

Rolls out network policy changes from Git, namespace by namespace, and rolls them back when they hurt. The chart holds
all of [config/](../../config), and is written from it by `make chart`. It needs Helm 4 and Kubernetes 1.30 or newer;
with Helm 3, create the namespace first and leave `--create-namespace` out.

    helm install netpol-canary charts/netpol-canary -n netpol-canary --create-namespace \\
      --set image.repository=registry.example.com/netpol-canary

Build the image first, as [Installing and removing](../../docs/install.md) says, which has upgrading and uninstalling, too.
It goes into the namespace `netpol-canary` and no other: roles and admission policies name it.

## What Helm adds to config/

| | what for |
|---|---|
| the annotation `helm.sh/resource-policy: keep` on the CRDs, the namespace and the archive's volume | they hold sources, rollouts and the state before them, and stay when the release is uninstalled |
| the Job `netpol-canary-uninstall` with an account and one right, before uninstalling | it refuses while a rollout is not restored |
| the ConfigMap `netpol-canary-settings`, where `settings` has any | the file of `--config` |

## Values

"""


def values_yaml(tree: Mapping[str, Any]) -> str:
    """Every value, with what it says above it."""
    says = {value.name: value.says for value in VALUES}
    return HEAD + "\n" + "".join(_lines(tree, says, "", 0)).rstrip("\n") + "\n"


def _lines(tree: Mapping[str, Any], says: Mapping[str, str], above: str, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, value in tree.items():
        name = f"{above}{key}"
        for line in textwrap.wrap(says.get(name) or SECTIONS[key], WIDTH - 2 - len(indent)):
            yield f"{indent}# {line}\n"
        if name in says:
            text = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)
            yield textwrap.indent(text, indent)
        else:
            yield f"{indent}{key}:\n"
            yield from _lines(value, says, f"{name}.", depth + 1)
        if depth == 0:
            yield "\n"


def readme(tree: Mapping[str, Any]) -> str:
    """With a row for each value."""
    rows = [(code(value.name), _default(tree, value.name), cell(value.says)) for value in VALUES]
    return README + table(("value", "default", ""), rows) + "\n"


def _default(tree: Mapping[str, Any], name: str) -> str:
    found: Any = tree
    for part in name.split("."):
        found = found[part]
    text = json.dumps(found)
    return code(text) if len(text) <= LONGEST else "see values.yaml"
