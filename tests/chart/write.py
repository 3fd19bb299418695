"""Write charts/netpol-canary: `make chart`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from chart import pages, schema, templates
from chart.holes import Holes
from orchestrator.adapters.kube.bundle import TAG

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/netpol-canary"
# What stands beside the templates and is of Helm alone.
BY_HAND = Path(__file__).parent / "files"
VERSION = TAG.rsplit(":", 1)[1]
DESCRIPTION = (
    "Rolls out network policy changes from Git, namespace by namespace, and rolls them back when they hurt"
)


def files() -> Mapping[str, str]:
    """Every file of the chart by its path."""
    defaults: dict[str, Any] = {}
    made = {f"templates/{path}": text for path, text in templates.written(Holes(), defaults)}
    by_hand = {f"templates/{path.name}": path.read_text() for path in sorted(BY_HAND.iterdir())}
    tree = schema.tree(defaults)
    return {
        "Chart.yaml": _chart(),
        "README.md": pages.readme(tree),
        "values.yaml": pages.values_yaml(tree),
        "values.schema.json": schema.schema(),
        **by_hand,
        **made,
    }


def _chart() -> str:
    said = {
        "apiVersion": "v2",
        "name": "netpol-canary",
        "description": DESCRIPTION,
        "type": "application",
        "version": VERSION,
        "appVersion": VERSION,
        "kubeVersion": ">=1.30.0-0",
        "home": "https://netpol-canary.dev/",
    }
    return yaml.safe_dump(said, sort_keys=False, width=1000)


def main() -> None:
    shutil.rmtree(CHART, ignore_errors=True)
    for name, text in files().items():
        path = CHART / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
