"""The edge of the command line: what goes to standard output and standard error is made harmless there, once."""

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from orchestrator.harmless import annotation, annotation_property, printed


class Edge:
    """A text stream in which others' text can neither steer a terminal nor speak to a CI's runner.

    Rich writes past it, for its colours are control sequences: `console` cleans what it is given instead.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream  # rich's own name for the stream below a wrapper

    def write(self, text: str) -> int:
        """Like the stream's own; a line is clean as it is written whole."""
        self.rich_proxied_file.write(printed(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Like the stream's own."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def guard() -> None:
    """Standard output and standard error of this process, from here on."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Edge):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, Edge(stream))


def below(stream: TextIO) -> TextIO:
    """The stream without its edge, for who makes harmless what is written there."""
    found: TextIO = getattr(stream, "rich_proxied_file", stream)
    return found


def console(quiet: bool = False) -> Any:
    """A rich console that prints styles of ours and nothing else that a terminal would obey."""
    from rich.console import Console, RenderHook
    from rich.segment import Segment

    class Clean(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [Cleaned(r) for r in renderables]

    class Cleaned:
        def __init__(self, content: Any) -> None:
            self.content = content

        def __rich_console__(self, console: Any, options: Any) -> Any:
            for text, style, control in console.render(self.content, options):
                plain = style.update_link(None) if style is not None and style.link else style
                yield Segment(text if control else printed(text), plain, control)

    made = Console(highlight=False, soft_wrap=True, quiet=quiet, emoji=False)
    made.push_render_hook(Clean())
    return made


def annotate(level: str, title: str, message: str, file: str = "", line: str = "", column: str = "") -> None:
    """A GitHub annotation on standard output; `level` is error, warning or notice."""
    at = f"line={annotation_property(line)}," + (f"col={annotation_property(column)}," if column else "")
    place = f"file={annotation_property(file)},{at}" if file else ""
    text = f"::{level} {place}title={annotation_property(title)}::{annotation(message)}"
    print(text, file=below(sys.stdout))
