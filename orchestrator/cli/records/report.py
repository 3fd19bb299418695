"""`report`: one rollout as a document, from the cluster or from an archive."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.records.archive_files import parsed, save, text
from orchestrator.context import read
from orchestrator.errors import BadInput
from orchestrator.operations.requests import find_rollout
from orchestrator.record.archive import states
from orchestrator.record.build import view
from orchestrator.rollout.next import State


def _markdown(state: State, now: datetime) -> str:
    from orchestrator.record.report.markdown import report

    return report(view(state, now))


def _html(state: State, now: datetime) -> str:
    from orchestrator.record.report.html import page

    return page(view(state, now))


FORMATS: dict[str, Callable[[State, datetime], str]] = {
    "markdown": _markdown,
    "html": _html,
    "json": lambda state, now: text(state),
}


def write(target: Target, name: str, form: str, to: Path | None, archive: Path | None) -> int:
    """The document, to a file or to standard output."""
    if form not in FORMATS:
        raise BadInput(f"-o {form} is not known here", hint=f"take {', '.join(FORMATS)}")
    state = _archived(archive, name) if archive else _standing(target, name)
    document = FORMATS[form](state, datetime.now(UTC))
    if to is None:
        print(document, end="")
    else:
        save(to, document)
        print(f"{state.rollout.name} is in {to}")
    return 0


def every(state: State, stem: Path) -> None:
    """The three documents beside each other."""
    for form, ending in (("markdown", ".md"), ("html", ".html"), ("json", ".json")):
        save(stem.with_name(stem.name + ending), FORMATS[form](state, datetime.now(UTC)))


def _standing(target: Target, name: str) -> State:
    if not name:
        raise BadInput("which rollout?", hint="give a rollout's or a source's name, or --from FILE")
    ctx = wiring.connected(target)
    return read(ctx, find_rollout(ctx, name).name)


def _archived(path: Path, name: str) -> State:
    """The only rollout of the file, or the named one; a source's latest. Raises BadInput."""
    found = states(parsed(path), str(path))
    if not name and len(found) == 1:
        return next(iter(found.values()))
    of_source = [s for s in found.values() if s.rollout.spec.source == name]
    latest = max(of_source, key=lambda s: str(s.rollout.status.started_at), default=None)
    state = found.get(name, latest)
    if state is None:
        raise BadInput(f"holds {', '.join(found)}", str(path), "name one of them")
    return state
