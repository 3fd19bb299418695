"""The record's still pictures, ready for a template; they escape what they draw."""

import re
from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from orchestrator.record.drawings.graph import links_svg
from orchestrator.record.drawings.plot import curve_svg
from orchestrator.record.drawings.trend import latency_svg, outcomes_svg
from orchestrator.record.summary import Bucket
from orchestrator.record.view import Curve, Link, Mark

_NAMES = re.compile(r'(?<= )(id|aria-labelledby)="([^"]*)"')


def svg(curve: Curve, marks: Sequence[Mark], wave: int) -> Markup:
    """One curve of a wave."""
    return _of(wave, curve_svg(curve, marks))


def graph(links: Sequence[Link], wave: int) -> Markup:
    """The connection diff of a wave."""
    return _of(wave, links_svg(links))


def _of(wave: int, drawing: str) -> Markup:
    """Two waves may have the same drawing; on one page its parts need names of their own."""
    return Markup(_NAMES.sub(lambda m: f'{m[1]}="{" ".join(f"{n}-{wave}" for n in m[2].split())}"', drawing))


def outcomes(buckets: Sequence[Bucket]) -> Markup:
    """How rollouts ended, over time."""
    return Markup(outcomes_svg(buckets))


def latency(buckets: Sequence[Bucket], which: Literal["lead", "restored"]) -> Markup:
    """How long something took, over time."""
    return Markup(latency_svg(buckets, which))
