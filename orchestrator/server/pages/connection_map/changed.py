"""The connections that a rollout changes, laid over those that stand."""

from collections.abc import Iterable, Sequence
from typing import Literal

from orchestrator.record.view import LINK_WORDS, Link, RolloutView
from orchestrator.server.pages.connection_map.allowed import Wire

At = Literal["", "before", "after"]
NONE = ("", "none")


def wires_of(view: RolloutView) -> list[Wire]:
    """Of each wave what its analysis froze, else what the plan says; the words that clients feel first before others."""
    links = [link for wave in view.waves for link in (wave.links or wave.planned)]
    found = {(link.source, link.destination): _wire(link) for link in links}
    return sorted(found.values(), key=lambda w: (LINK_WORDS.index(w.word), w.source, w.destination))


def _wire(link: Link) -> Wire:
    before, after = ("" if text in NONE else text for text in (link.before, link.after))
    return Wire(link.source, link.destination, after or before, link.words[0], before, after)


def unkept(view: RolloutView) -> int:
    """How many connections change beyond those that are kept."""
    return sum(wave.planned_more for wave in view.waves if not wave.links)


def laid_over(changed: Sequence[Wire], standing: Iterable[Wire], at: At) -> list[Wire]:
    """What changes first; of what stands, what the change does not touch. Before or after, what was or is not there is left out."""
    ends = {(wire.source, wire.destination) for wire in changed}
    kept = [wire for wire in changed if _there(wire, at)]
    return [*kept, *(wire for wire in standing if (wire.source, wire.destination) not in ends)]


def _there(wire: Wire, at: At) -> bool:
    return bool({"before": wire.before, "after": wire.after}.get(at, "both"))
