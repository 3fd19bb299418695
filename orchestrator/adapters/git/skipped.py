"""Say once what was passed over among the files of a source or a folder."""

import sys
from threading import Lock

_MOST = 10_000
_NAMED = 3
_KINDS = {
    "other": ("file that is no manifest", "files that are no manifests"),
    "hidden": ("hidden file or folder", "hidden files and folders"),
    "link": ("symbolic link", "symbolic links"),
    "submodule": ("submodule", "submodules"),
}
_said: set[tuple[str, str]] = set()
_lock = Lock()


class Passed:
    """What was passed over: counted by kind, the first few by name."""

    def __init__(self) -> None:
        self._paths: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        self._counts = dict.fromkeys(_KINDS, 0)

    def add(self, kind: str, path: str) -> None:
        """One more of a kind; of other kinds nothing is said."""
        if kind in _KINDS:
            self._counts[kind] += 1
            self._paths[kind] += [path] if self._counts[kind] <= _NAMED else []

    def said(self) -> str:
        """As half a sentence; empty where nothing was passed over."""
        return "; ".join(
            f"{count} {_KINDS[kind][count > 1]} ({', '.join(self._paths[kind])}{', …' if count > _NAMED else ''})"
            for kind, count in self._counts.items()
            if count
        )


def passed_over(where: str, text: str) -> None:
    """A line, unless this process has said the same of the same place before; nothing where the text is empty.

    It goes to the log; where there is none, as with most commands, to standard error.
    """
    with _lock:
        if not text or (where, text) in _said:
            return
        if len(_said) >= _MOST:
            _said.clear()
        _said.add((where, text))
    # Without a log nothing has imported it, which takes as long as to read a hundred manifests.
    structlog = sys.modules.get("structlog")
    if structlog is not None and structlog.is_configured():
        structlog.get_logger().warning("passed over", where=where, what=text)
    else:
        print(f"netpol-canary: {where}: passed over: {text}", file=sys.stderr)
