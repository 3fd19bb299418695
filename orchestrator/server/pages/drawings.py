"""The record's still pictures, ready for a template; they escape what they draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from orchestrator.record.graph import links_svg
from orchestrator.record.plot import curve_svg
from orchestrator.record.summary import Bucket
from orchestrator.record.trend import latency_svg, outcomes_svg
from orchestrator.record.view import Curve, Link, Mark


def svg(curve: Curve, marks: Sequence[Mark]) -> Markup:
    """One curve."""
    return Markup(curve_svg(curve, marks))


def graph(links: Sequence[Link]) -> Markup:
    """The connection diff."""
    return Markup(links_svg(links))


def outcomes(buckets: Sequence[Bucket]) -> Markup:
    """How rollouts ended, over time."""
    return Markup(outcomes_svg(buckets))


def latency(buckets: Sequence[Bucket], which: Literal["lead", "restored"]) -> Markup:
    """How long something took, over time."""
    return Markup(latency_svg(buckets, which))
