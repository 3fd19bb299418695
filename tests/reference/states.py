"""docs/reference/conditions.md: phases, conditions, reasons, labels and annotations."""

from __future__ import annotations

from typing import Any, get_args

from orchestrator.rollout.outbox import groups
from orchestrator.rollout.resources import model as m
from reference import words
from reference.tables import cell, table

HEAD = """# Phases, conditions and reasons

What stands in the status of resources, in Events, labels and annotations. Written by `make reference`; a test walks the
sources and fails where a reason, a condition, a label or an annotation is missing here.
"""
MARKS = """
## Labels, annotations and finalizers

All begin with `netpol-canary.dev/`. What writes them is the program, unless it says otherwise; changing them by hand
can lose what belongs to a source.
"""
PHASES: tuple[tuple[str, Any, dict[str, str]], ...] = (
    ("Phases of a PolicyRollout", m.RolloutPhase, words.ROLLOUT_PHASES),
    ("What a rollout is paused for", m.PauseReason, words.PAUSES),
    ("Phases of a NamespaceRollout", m.NamespacePhase, words.NAMESPACE_PHASES),
    ("Phases of a measurement", m.MeasurementPhase, words.MEASUREMENT_PHASES),
)


def page() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD]
    for title, literal, texts in PHASES:
        rows = [(f"`{value}`", cell(texts[value])) for value in get_args(literal) if value]
        parts += [f"## {title}\n", table(("value", "means"), rows), ""]
    parts += ["## Conditions\n", _conditions(), "\n## Reasons\n", words.REASONS_HEAD, _reasons(), MARKS]
    marks = [(f"`{name}`", what, cell(text)) for name, (what, text) in sorted(words.MARKS.items())]
    return "\n".join([*parts, table(("name", "is", "means"), marks)])


def _conditions() -> str:
    rows = [
        (f"`{kind}`", of, cell(text), _listed(reasons))
        for kind, (of, text, reasons) in words.CONDITIONS.items()
    ]
    return table(("type", "of", "True means", "reasons"), rows)


def _listed(reasons: dict[str, str]) -> str:
    """A reason is spelt with a capital letter; anything else stands for many."""
    named = ((f"`{name}`" if name[0].isupper() else name, text) for name, text in reasons.items())
    return "<br>".join(f"{name}: {cell(text)}" if text else name for name, text in named)


def _reasons() -> str:
    rows = [
        (f"`{name}`", _where(name), cell(text), ", ".join(f"`{g}`" for g in _groups(name)))
        for name, text in sorted(words.REASONS.items())
    ]
    return table(("reason", "where", "means", "groups of notifications"), rows)


def _where(name: str) -> str:
    return "Event" if name in words.EVENTS_ALONE else "transition, Event"


def _groups(name: str) -> list[str]:
    """The groups that are of the reason itself, whatever the phase; the rest is the phase's."""
    if name in words.EVENTS_ALONE:
        return []
    return sorted(groups("RollingBack", name) - groups("RollingBack", "") - {name})
