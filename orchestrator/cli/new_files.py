"""Files that a command makes: all of them, or none where one stands there with other content."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import BadInput


def write(to: Path, files: Mapping[str, str], hint: str, force: bool = False) -> None:
    """`hint` says what to do about a file that is there, which `force` replaces. Raises BadInput."""
    try:
        for name, text in files.items():
            standing = to / name
            if standing.is_symlink() or (standing.exists() and not standing.is_file()):
                raise BadInput("no file can be made where something else stands", str(standing), hint)
            if not force and standing.exists() and standing.read_text(errors="replace") != text:
                raise BadInput("a file with other content stands there", str(standing), hint)
        for name, text in files.items():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_text(text)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", str(to), "give a directory to write in"
        ) from None
