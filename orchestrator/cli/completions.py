"""What the shell completes, as options name it: answered in two seconds, or not at all."""

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

SECONDS = 2.0
Answer = Callable[[Any], Iterable[str]]  # from the context of the command that is being typed
_answers: dict[str, Answer] = {}


def answer_with(answers: Mapping[str, Answer]) -> None:
    """Who answers; until then, and for what nobody answers, there is nothing to complete."""
    _answers.update(answers)


def completed(what: str) -> Callable[[Any, str], list[str]]:
    """For `autocompletion` of an option: what begins as the word that is being typed."""

    def complete(ctx: Any, incomplete: str) -> list[str]:
        found = bounded(lambda: _answers[what](ctx))
        return [name for name in dict.fromkeys(found) if name.startswith(incomplete)]

    return complete


def bounded(ask: Callable[[], Iterable[str]]) -> list[str]:
    """What is answered in time; nothing where it is late or fails, for whoever types has not asked for an error."""
    found: list[str] = []

    def work() -> None:
        with suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.extend(list(ask()))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return [] if thread.is_alive() else found
