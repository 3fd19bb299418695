"""What `.netpol-canary.yaml` says, and its acceptances, each with the people who wrote its lines into Git."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from orchestrator.adapters.git.directory import from_root
from orchestrator.adapters.git.worktree import blamed
from orchestrator.adapters.given_files import unreadable
from orchestrator.errors import BadInput
from orchestrator.policy.files.field_places import located
from orchestrator.policy.files.model_problem import first_problem
from orchestrator.policy.files.yaml_text import LOADER, no_yaml
from orchestrator.policy.lint.accepting import Acceptance, Accepted

MOST = 1_000
MOST_BYTES = 1024 * 1024


def configured(file: Path) -> tuple[str, Any]:
    """The text of such a file, and what it says. Raises BadInput."""
    try:
        raw = file.read_bytes()
        if len(raw) > MOST_BYTES:
            raise BadInput("the file is larger than 1 MiB", str(file))
        return raw.decode(), yaml.load(raw.decode(), LOADER)
    except OSError as error:
        raise unreadable(error, file) from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise no_yaml(error, raw, str(file)) from None


def acceptances(file: Path, authors: Collection[str] | None) -> list[Accepted]:
    """All of them. `authors` are the e-mail addresses of who wrote the change and so may not accept it, where the source asks
    for that; None where it does not. Raises BadInput."""
    if not file.exists():
        return []
    text, data = configured(file)
    given = data.get("accepted") if isinstance(data, dict) else None
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST:
        where, cited = located(text.encode(), str(file), "accepted")
        fix = "begin each acceptance with `- finding:`"
        raise BadInput(f"`accepted` is a list of at most {MOST} acceptances", where, fix, cited)
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader)):
        raise BadInput("anchors are not taken beside acceptances: who accepts writes all of it", str(file))
    root = yaml.compose(text, yaml.SafeLoader)
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    nodes = next(value.value for key, value in entries if key.value == "accepted")
    return [
        _one(file, text, number, *pair, authors) for number, pair in enumerate(zip(given, nodes, strict=True))
    ]


def _one(
    file: Path, content: str, number: int, data: Any, node: Any, authors: Collection[str] | None
) -> Accepted:
    first = node.start_mark.line + 1
    last = max(first, node.end_mark.line + (1 if node.end_mark.column else 0))
    where = f"{from_root(file.parent)}{file.name}:{first}"
    try:
        acceptance = Acceptance.model_validate(data)
    except ValidationError as error:
        wrong = first_problem(error, Acceptance)
        text = f"{wrong.field}: {wrong.what}" if wrong.field else wrong.what
        field = f"accepted[{number}].{wrong.field}".rstrip(".")
        _, cited = located(content.encode(), str(file), field)
        raise BadInput(text, where, wrong.fix or "correct the acceptance", cited) from None
    people = blamed(file, first, last)
    by = ", ".join(dict.fromkeys(name for name, _ in people if name))
    void = ""
    if authors is not None:
        if not people or any(not mail for _, mail in people):
            void = "it is not committed, and the source asks for somebody other than the change's author"
        elif {mail.lower() for _, mail in people} & {a.lower() for a in authors}:
            void = "who wrote the change wrote it, too, and the source asks for somebody else"
    return Accepted(acceptance, where, by, void)
