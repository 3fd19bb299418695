"""`--write FORMAT=FILE`: the same answer in further formats, each in a file that later steps of a job take."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO, cast

from orchestrator.cli.edge import Edge
from orchestrator.errors import BadInput

OPTION = "--write"


def destinations(given: Sequence[str], formats: Sequence[str]) -> list[tuple[str, Path]]:
    """Format and file of each. Raises BadInput."""
    found = []
    for text in given:
        name, _, file = text.partition("=")
        if name not in formats or not file:
            raise BadInput(
                f"{text} is no FORMAT=FILE", OPTION, f"as markdown=summary.md; take {', '.join(formats)}"
            )
        found.append((name, Path(file)))
    return found


@contextmanager
def into(file: Path) -> Iterator[None]:
    """What is printed meanwhile goes into the file, as harmless as on standard output. Raises BadInput."""
    try:
        with (
            file.open("w", encoding="utf-8", errors="backslashreplace") as stream,
            redirect_stdout(cast(TextIO, Edge(stream))),
        ):
            yield
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", f"{OPTION} {file}") from None
