"""Results as JUnit's XML, which CI systems show."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from orchestrator.harmless import xml


class Case(NamedTuple):
    """One test; `element` is empty where it passed, `lines` say why it did not."""

    name: str
    where: str
    element: Literal["", "failure", "error", "skipped"] = ""
    lines: tuple[str, ...] = ()


def suite(cases: Sequence[Case]) -> str:
    """One testsuite."""
    counts = {word: sum(c.element == word for c in cases) for word in ("failure", "error", "skipped")}
    head = f'tests="{len(cases)}" failures="{counts["failure"]}" errors="{counts["error"]}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuite name="netpol-canary" {head} skipped="{counts["skipped"]}">')
    for case in cases:
        lines.append(f"  <testcase name={quoteattr(xml(case.name))} classname={quoteattr(xml(case.where))}>")
        if case.element:
            text = escape(xml("\n".join(case.lines)))
            message = quoteattr(xml(case.lines[0]) if case.lines else "")
            lines.append(f"    <{case.element} message={message}>{text}</{case.element}>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>"])
