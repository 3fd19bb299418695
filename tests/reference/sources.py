"""The reasons, conditions and marks that the sources write, read off their syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where a call's reason stands: its position, beside the keyword `reason`. The last two hand on what they are given.
REASON_AT = {
    "Action": 2,
    "Finding": 1,
    "put": 3,
    "notify": 1,
    "Condition": 99,
    "Transition": 99,
    "Handoff": 2,
}
HANDED_ON = {"_again": 2, "_ready": 2, "say": 1}
UNWRITTEN = frozenset({"Settling", "Analysing"})  # the engine's word for itself, why it sleeps
TYPE_AT = {"put": 1}
MARK = re.compile(r"netpol-canary\.dev/([a-z][a-z-]*)(?!\w)")


def trees() -> Iterator[ast.Module]:
    """Every source of the program. The sandbox speaks for the API server, and lint has findings of its own."""
    for package in ("orchestrator", "workflows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            if not {"orchestrator.policy.lint.linter", "orchestrator.policy.lint.findings"} & set(
                re.findall(r"from ([\w.]+) import", text)
            ):
                yield ast.parse(text)


def reasons() -> set[str]:
    """Of every transition, Event and condition that is written."""
    at = {**REASON_AT, **HANDED_ON}
    return {r for tree in trees() for r in _found(tree, at, "reason") if r[:1].isupper()} - UNWRITTEN


def conditions() -> set[str]:
    """Types that are written by name; those of a rollout's phase are not."""
    return {t for tree in trees() for t in _found(tree, {**TYPE_AT, "Condition": 99}, "type")}


def marks() -> set[str]:
    """Names of labels, annotations and finalizers, without the group."""
    found = set()
    for package in ("orchestrator", "workflows"):
        for path in (ROOT / package).rglob("*.py"):
            found |= set(MARK.findall(path.read_text()))
    return found


def _found(tree: ast.Module, at: dict[str, int], keyword: str) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name == "Condition" and getattr(getattr(call.func, "value", None), "id", "") == "threading":
            continue
        given = [k.value for k in call.keywords if k.arg == keyword and name in {*at, "replace"}]
        if name in at and len(call.args) > at[name]:
            given.append(call.args[at[name]])
        for expression in given:
            yield from _values(tree, expression)


def _values(tree: ast.Module, expression: ast.expr) -> Iterator[str]:
    """Every text that it can be."""
    if isinstance(expression, ast.Constant):
        yield str(expression.value)
    elif isinstance(expression, ast.IfExp):
        yield from _values(tree, expression.body)
        yield from _values(tree, expression.orelse)
    elif isinstance(expression, ast.Name):
        yield from _named(tree, expression.id)


def _named(tree: ast.Module, name: str) -> Iterator[str]:
    """What is assigned to a name, anywhere in its file, or is imported under it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and any(a.name == name for a in node.names):
            path = ROOT / (node.module.replace(".", "/") + ".py")
            yield from _named(ast.parse(path.read_text()), name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(tree, target, node.value, name)
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            for item in node.iter.elts:
                yield from _assigned(tree, node.target, item, name)


def _assigned(tree: ast.Module, target: ast.expr, value: ast.expr, name: str) -> Iterator[str]:
    if isinstance(target, ast.Name) and target.id == name:
        yield from _values(tree, value)
    elif isinstance(target, ast.Tuple):
        places = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Name) and t.id == name]
        if isinstance(value, ast.Tuple) and places:
            yield from _values(tree, value.elts[places[0]])
        elif isinstance(value, ast.Call) and places:  # what a function of this file gives back
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef) and function.name == getattr(value.func, "id", ""):
                    yield from _returned(tree, function, places[0])


def _returned(tree: ast.Module, function: ast.FunctionDef, place: int) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield from _values(tree, node.value.elts[place])
