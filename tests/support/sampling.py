"""Which of very many cases are played: of each kind some, which a seed draws; with NETPOL_CANARY_FULL=1, as `make nightly` sets it, all."""

import os
import random
import sys

FULL = bool(os.environ.get("NETPOL_CANARY_FULL"))


def sampled(cases, kind, seed="", each=1, full=FULL):
    """The cases in their order: all where `full`, else so many of every kind, the same ones each time.

    `kind` gives a case's kind; other words as the seed draw others.
    """
    cases = list(cases)
    if full:
        return cases
    kinds, draw = {}, random.Random(str(seed))
    for number, case in enumerate(cases):
        kinds.setdefault(kind(case), []).append(number)
    chosen = {n for numbers in kinds.values() for n in draw.sample(numbers, min(each, len(numbers)))}
    return [case for number, case in enumerate(cases) if number in chosen]


def way():
    """How the program came to the call of a port that is being made: its functions, the innermost first.

    Every step and every reason to call has a way of its own; two namespaces of one wave have the same.
    """
    frame, functions = sys._getframe(1), []
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(("orchestrator.", "workflows.")):
            functions.append(f"{module}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return tuple(functions)
