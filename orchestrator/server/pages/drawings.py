"""The still pictures of the record, ready for a template."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from orchestrator.record.view import Curve, Link, Mark


def svg(curve: Curve, marks: Sequence[Mark]) -> Markup:
    """One curve."""
    return Markup("")


def graph(links: Sequence[Link]) -> Markup:
    """The connection diff."""
    return Markup("")
