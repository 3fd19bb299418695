"""What a seed is made of: which actors there are, how often faults come, and how the sources ask to be rolled out."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Sizes:
    """How small the steps of the source `shop` are, over pods that come and go; of what is empty there is nothing.

    `pods` says how its canaryPods are chosen, `wide` how its policies of the whole cluster change, `follow` whose
    canary deployment it follows. Where `pods_every` is 0 there are no pods.
    """

    pods: str = ""
    wide: str = ""
    expand: bool = False
    follow: str = ""
    pods_every: float = 0.0
    turns_every: float = 0.0


WHOLE = Sizes()  # whole namespaces, in which no pod is


@dataclass(frozen=True)
class Settings:
    """Rates are per call, `every` are mean seconds between two acts of an actor; 0 where there is none."""

    chaos_seconds: float
    sources: tuple[str, ...]
    engines: int
    guard: bool
    runner: bool
    argo: bool
    slow: float
    errors: float
    late: float
    kills: float
    freezes_every: float
    clock_every: float
    stalls: float
    setback: float
    pushes_every: float
    people_every: float
    strangers_every: float
    namespaces_every: float
    silence: float
    hurting: float
    gates: bool
    supersede: str
    drift: str
    waves: int
    parallel: int
    probes: bool
    told: bool
    restarts_every: float
    emergencies: bool
    sizes: Sizes


def drawn(seed, **fixed):
    """The settings of a seed; `fixed` ones are as given."""
    draw = Random(f"settings {seed}")
    some = lambda chance, value, other=0.0: value if draw.random() < chance else other  # noqa: E731
    given = {
        "chaos_seconds": draw.choice((120.0, 240.0)),
        "sources": draw.choice((("shop",), ("shop",), ("shop", "mill"))),
        "engines": draw.choice((1, 2, 2)),
        "guard": draw.random() < 0.4,
        "runner": draw.random() < 0.3,
        "argo": draw.random() < 0.15,
        "slow": some(0.5, draw.choice((0.01, 0.05))),
        "errors": some(0.5, draw.choice((0.005, 0.03))),
        "late": draw.choice((1.0, 4.9)),
        "kills": some(0.7, draw.choice((0.5, 0.9))),
        "freezes_every": some(0.35, 40.0),
        "clock_every": some(0.25, 40.0),
        "stalls": 0.0,
        "setback": 0.0,  # seconds by which a clock is set back each time; 0 for any jump either way
        "pushes_every": draw.choice((40.0, 90.0)),
        "people_every": some(0.6, draw.choice((10.0, 30.0))),
        "strangers_every": some(0.4, draw.choice((15.0, 60.0))),
        "namespaces_every": some(0.3, 60.0),
        "silence": some(0.3, 0.3),
        "hurting": draw.choice((0.0, 0.3, 0.5)),
        "gates": draw.random() < 0.35,
        "supersede": draw.choice(("queue", "immediate")),
        "drift": draw.choice(("report", "report", "repair")),
        "waves": draw.choice((1, 2, 3)),
        "parallel": draw.choice((1, 2, 8)),
        "probes": draw.random() < 0.5,
        "told": draw.random() < 0.3,
        "restarts_every": some(0.3, 40.0),
    }
    given["stalls"] = some(0.3, draw.choice((0.02, 0.1)))
    if draw.random() < 0.3:  # as late as a write may land, long after its sender has given up
        given["late"] = 19.5
    # By a draw of its own: what the others draw stays.
    given["emergencies"] = Random(f"emergencies {seed}").random() < 0.2
    given["sizes"] = _sizes(Random(f"sizes {seed}"))
    return Settings(**{**given, **fixed})


def _sizes(draw):
    if draw.random() >= 0.3:
        return WHOLE
    kind = draw.choice(("pods", "wide", "pods and wide", "expand", "follow"))
    return Sizes(
        pods=draw.choice(("labels", "count", "percent")) if "pods" in kind else "",
        wide=draw.choice(("waves", "waves", "atOnce")) if "wide" in kind else "",
        expand=kind == "expand",
        follow=draw.choice(("argo", "flagger")) if kind == "follow" else "",
        pods_every=draw.choice((5.0, 20.0)),
        turns_every=draw.choice((15.0, 40.0)) if kind == "follow" else 0.0,
    )
