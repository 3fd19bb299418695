"""What is read of texts of manifests, and what lint finds in it."""

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet


def read(*texts, path="all.yaml"):
    """The fleet of one file."""
    return fleet(parse("".join(texts).encode(), path))


def linted(rule, *texts):
    """The findings of one rule."""
    return [f for f in lint(read(*texts)) if f.rule.id == rule]


def said(rule, *texts):
    """Their messages."""
    return [f.message for f in linted(rule, *texts)]


def rules(*texts):
    """The ids of all findings."""
    return sorted({f.rule.id for f in lint(read(*texts))})
