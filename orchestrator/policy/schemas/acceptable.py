"""Whether a policy from a file may be worked with: its shape as the API has it, and no more in it than is bearable."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.files.remedies import remedy
from orchestrator.policy.schemas.policy_kinds import checker
from orchestrator.policy.schemas.schema import problems


def objections(obj: Mapping[str, Any]) -> Iterator[str]:
    """As `path: why`; nothing for kinds whose shape is not known here, but for what is too much of everything."""
    plain = {k: v for k, v in obj.items() if k != "status"}  # exports of older clusters carry one
    check = checker(plain)
    yield from chain(problems(plain), check(plain) if check else ())
    yield from too_much(obj)


def accepted(document: Document) -> Document:
    """The document as it is. Raises BadInput with file and line where it is misshapen."""
    wrong = next(objections(document.obj), "")
    if wrong:
        raise refusal(document, wrong)
    return document


def refusal(document: Document, problem: str) -> BadInput:
    """What is said of a policy that is not valid, with its file and line, and the field for who draws it."""
    obj = document.obj
    text, fix = remedy(problem)
    named = f"{obj['kind']} {obj['metadata']['name']} is not valid: {text}"
    return BadInput(named, document.where, fix, document.cited(problem))


MOST_EXPRESSIONS = 100  # in one selector
MOST_VALUES = 1000  # in one expression
MOST_ITEMS = 20_000  # rules, peers, ports, blocks and values of one policy


def too_much(obj: Mapping[str, Any]) -> Iterator[str]:
    """What a policy holds too much of, as `path: why`. Its shape was checked before."""
    count = 0
    for path, key, items in _lists({part: obj.get(part) for part in ("spec", "specs")}, ""):
        count += len(items)
        most = {"matchExpressions": MOST_EXPRESSIONS, "values": MOST_VALUES}.get(key, MOST_ITEMS)
        if len(items) > most:
            yield f"{path}: holds {len(items)} items, more than {most}"
    if count > MOST_ITEMS:
        yield f"spec: holds {count} items in all its lists, more than {MOST_ITEMS}"


def _lists(value: Any, path: str) -> Iterator[tuple[str, str, list[Any]]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if isinstance(item, list):
                yield where, str(key), item
            yield from _lists(item, where)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _lists(item, f"{path}[{number}]")
