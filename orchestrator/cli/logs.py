"""Structured logs on standard error: JSON for machines, coloured lines for a terminal."""

import logging
import sys
from typing import TextIO, cast

import structlog

from orchestrator.cli.edge import below
from orchestrator.cli.terminal import coloured
from orchestrator.errors import BadInput
from orchestrator.harmless import printed


def configure(form: str = "", level: str = "info") -> None:
    """`form` is json or console; where empty, console on a terminal and json elsewhere. Raises BadInput."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise BadInput(f"{level} is not a log level", "--log-level", "take debug, info, warning or error")
    if form not in ("", "json", "console"):
        raise BadInput(f"{form} is not a log format", "--log", "take json or console")
    pretty = form == "console" or (not form and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=coloured(sys.stderr))
        if pretty
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            _clean,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Stderr())),
    )


class _Stderr:
    """Standard error as it is when a line is written, which may be another than when logging was configured."""

    def write(self, text: str) -> int:
        return below(sys.stderr).write(text)

    def flush(self) -> None:
        below(sys.stderr).flush()


def _clean(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What others wrote, in the event itself and in every value: a log is read on terminals and in CI."""
    return {key: _cleaned(value) for key, value in event.items()}


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return printed(value)
    return [_cleaned(v) for v in value] if isinstance(value, list | tuple) else value
