"""Archived rollouts: files of a directory, one a rollout, written once and read again without a cluster."""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.adapters.given_files import no_directory, unreadable
from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.context import ROLLOUT, read
from orchestrator.errors import BadInput, Cited, NotFound
from orchestrator.record.archive import archive, states
from orchestrator.rollout.next import State
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Rollout, load

MOST_BYTES = 64 * 1024 * 1024
MOST_FILES = 20_000
OF_HISTORY = ("PolicyRollout", "RolloutApproval")


def export(target: Target, source: str, to: Path) -> int:
    """Write what ended and is not there yet; a rollout that was rolled back since is written again."""
    ctx = wiring.connected(target)
    found = [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]
    ended = [r for r in found if r.status.phase in TERMINAL and source in ("", r.spec.source)]
    written = gone = 0
    for rollout in sorted(ended, key=lambda r: r.name):
        path = place(to, rollout)
        if _stands(path, rollout):
            continue
        try:
            state = read(ctx, rollout.name)
        except NotFound:  # pruned meanwhile
            gone += 1
            continue
        save(path, text(state))
        print(path)
        written += 1
    missed = f", {gone} gone meanwhile" if gone else ""
    print(f"{written} archived, {len(ended) - written - gone} there already{missed}")
    return 0


def place(to: Path, rollout: Rollout) -> Path:
    """`DIR/SOURCE/NAME-UID.json`: a name may come again once its first bearer is pruned."""
    return to / _safe(rollout.spec.source) / f"{_safe(rollout.name)}-{_safe(rollout.uid[:8])}.json"


def _safe(name: str) -> str:
    """One part of a path, whatever the name."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "_"


def _stands(path: Path, rollout: Rollout) -> bool:
    """Whether the rollout's end is archived; an unreadable file is written again."""
    if not path.exists():
        return False
    try:
        kept = states(parsed(path), str(path), OF_HISTORY).get(rollout.name)
    except BadInput:
        return False
    return kept is not None and kept.rollout.status.transitions == rollout.status.transitions


def text(state: State) -> str:
    """The document as it is written."""
    return json.dumps(archive(state), indent=2, ensure_ascii=False) + "\n"


def save(path: Path, content: str) -> None:
    """Whole or not at all. Raises BadInput."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".", suffix=".part", delete=False, encoding="utf-8"
        ) as part:
            try:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
                os.chmod(part.name, 0o644)
                os.replace(part.name, path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", str(path)) from None


def parsed(path: Path) -> Any:
    """A JSON file. Raises BadInput."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"is larger than {MOST_BYTES // 1024**2} MiB", str(path))
        return json.loads(path.read_bytes())
    except OSError as error:
        raise unreadable(error, path) from None
    except json.JSONDecodeError as error:
        raise _no_json(error, path) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"is no JSON: {error}", str(path)) from None


def _no_json(error: json.JSONDecodeError, path: Path) -> BadInput:
    at, text, fix = error.pos, error.msg.removesuffix(" starting at"), ""
    before = error.doc[: at + 1].rstrip("]} \t\r\n")
    if before.endswith(","):
        at, text, fix = len(before) - 1, "a comma ends a list or an object", "take it out"
    line, column = error.doc.count("\n", 0, at) + 1, at - error.doc.rfind("\n", 0, at)
    cited = Cited(error.doc.encode("utf-8", "surrogatepass"), str(path), line, column)
    return BadInput(f"is no JSON: {text}", f"{path}:{line}", fix, cited)


def archived(folder: Path) -> Iterator[State]:
    """Every rollout below a directory, with its approvals and without its evidence. Raises BadInput."""
    if not folder.is_dir():
        raise no_directory(folder, "give the one that `export --to` wrote")
    paths = sorted(p for p in folder.rglob("*.json") if not p.name.startswith("."))
    if len(paths) > MOST_FILES:
        raise BadInput(f"{len(paths)} files are more than {MOST_FILES}", str(folder), "give a part of it")
    for path in paths:
        yield from states(parsed(path), str(path), OF_HISTORY).values()
