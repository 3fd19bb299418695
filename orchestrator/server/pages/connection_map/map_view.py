"""A map as it is drawn: columns of places and the ways between them, folded where there are too many."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from orchestrator.analysis.agreement import outside, plain
from orchestrator.record.drawings.map_drawing import Column, Place, Way
from orchestrator.record.view import LINK_WORDS, LinkWord
from orchestrator.server.pages.connection_map.allowed import Allowed, Wire
from orchestrator.wording import few, many

MOST_ROWS = 40  # of a column
MOST_TOLD = 6  # connections of one line that its title names
OUTSIDE = "outside the cluster"
EVERYBODY, REST = " everybody", " rest"  # no namespace begins with a space


@dataclass(frozen=True)
class Drawing:
    """What `map_svg` takes, and how many connections it stands for."""

    columns: tuple[Column, ...]
    ways: tuple[Way, ...]
    described: str


def space_of(end: str) -> str:
    """The namespace of `namespace/name[Kind]`; of anything else, what is outside."""
    return OUTSIDE if outside(end) else end.partition("/")[0]


class _Side:
    """The places of one column, by the ends that they stand for: workloads, or where these are too many, namespaces."""

    def __init__(
        self,
        ends: Iterable[str],
        first: Collection[str],
        rollout: str,
        folded: bool,
        open_ones: Collection[str] = (),
    ) -> None:
        weight = Counter(ends)
        self.folded = folded or len(weight) > MOST_ROWS
        self._keys = {end: space_of(end) if self.folded else end for end in weight}
        self._rollout = rollout
        self._open = {self._keys[end] for end in open_ones if end in self._keys}
        by_key: Counter[str] = Counter()
        for end, count in weight.items():
            by_key[self._keys[end]] += count
        ranked = sorted(by_key, key=lambda key: (self._space(key) not in first, -by_key[key], key))
        self._kept = set(ranked if len(ranked) <= MOST_ROWS else ranked[: MOST_ROWS - 1])
        self._more = len(ranked) - len(self._kept)

    def _space(self, key: str) -> str:
        return key if self.folded else space_of(key)

    def key(self, end: str) -> str:
        """Of the place that stands for an end."""
        found = self._keys[end]
        return found if found in self._kept else REST

    def places(self) -> list[Place]:
        """In the order of namespaces, those outside the cluster last."""
        keys = sorted(self._kept, key=lambda key: (self._space(key) == OUTSIDE, self._space(key), key))
        found = [self._place(key) for key in keys]
        if self._more:
            word = "namespace" if self.folded else "workload"
            found.append(Place(REST, "", many(self._more, f"more {word}")))
        return found

    def _place(self, key: str) -> Place:
        space, is_open = self._space(key), key in self._open
        page = "" if space == OUTSIDE else page_of(space, self._rollout)
        note = ": no policy says who may connect" if is_open else ""
        if self.folded:
            return Place(key, "", key, page, f"{key}{note}", is_open)
        name = plain(key).partition("/")[2] if space != OUTSIDE else key.removesuffix("[External]")
        return Place(key, space, name, page, f"{key}{note}", is_open)


def page_of(namespace: str, rollout: str = "", at: str = "") -> str:
    """The map of a namespace, of what a rollout changes there."""
    given = {"namespace": namespace, "rollout": rollout, "at": at}
    query = urlencode({key: value for key, value in given.items() if value})
    return f"/map?{query}" if query else "/map"


def overview(known: Allowed, wires: Sequence[Wire], rollout: str = "", folded: bool = True) -> Drawing:
    """From whom to whom, by namespace; `folded` is False for what a rollout changes, as far as there is room."""
    asked = set(known.asked)
    extra = [] if rollout else known.workloads
    left = _Side([*(w.source for w in wires), *extra], asked, rollout, folded)
    right = _Side([*(w.destination for w in wires), *extra], asked, rollout, folded, known.anybody)
    ways = _ways(0, wires, left, right)
    return Drawing((Column("From", left.places()), Column("To", right.places())), tuple(ways), _told(wires))


def focus(known: Allowed, wires: Sequence[Wire], namespace: str, rollout: str = "") -> Drawing:
    """Who may connect to a namespace, its workloads, and to whom these may connect."""
    to = [w for w in wires if space_of(w.destination) == namespace]
    out = [w for w in wires if space_of(w.source) == namespace and space_of(w.destination) != namespace]
    mine = [*known.workloads, *(w.destination for w in to), *(w.source for w in out)]
    middle = _Side(mine, {namespace}, rollout, False, known.anybody)
    left = _Side((w.source for w in to), {namespace}, rollout, False)
    right = _Side((w.destination for w in out), {namespace}, rollout, False)
    ways = [*_ways(0, to, left, middle), *_ways(1, out, middle, right)]
    sides = [left.places(), right.places()]
    for column, ends, name, said in (
        (0, known.anybody, "everybody", "no policy says who may connect to it"),
        (1, known.anywhere, "everybody that lets it in", "no policy says to whom it may connect"),
    ):
        if ends:
            sides[column].append(Place(EVERYBODY, "", name, said=said, open=True))
        for key in sorted({middle.key(end) for end in ends}):
            source, target = (EVERYBODY, key) if column == 0 else (key, EVERYBODY)
            ways.append(Way(column, source, target, "same", said))
    titles = ("May connect to it", "Its workloads", "It may connect to")
    columns = zip(titles, (sides[0], middle.places(), sides[1]), strict=True)
    return Drawing(tuple(Column(*each) for each in columns), tuple(ways), _told([*to, *out]))


def _ways(column: int, wires: Iterable[Wire], left: _Side, right: _Side) -> list[Way]:
    """One for all connections of the same two places; what clients feel first is what it looks like."""
    grouped: dict[tuple[str, str], list[Wire]] = {}
    for wire in wires:
        grouped.setdefault((left.key(wire.source), right.key(wire.destination)), []).append(wire)
    return [Way(column, *ends, _worst(found), _names(found)) for ends, found in grouped.items()]


def _worst(wires: Sequence[Wire]) -> LinkWord:
    return min((wire.word for wire in wires), key=LINK_WORDS.index)


def _names(wires: Sequence[Wire]) -> str:
    return few(
        [f"{plain(w.source)} to {plain(w.destination)}: {ports_of(w)}" for w in wires], MOST_TOLD, "; "
    )


def ports_of(wire: Wire) -> str:
    """The ports, and what they were before where they change."""
    return (
        wire.ports
        if wire.word == "same"
        else f"{wire.before or 'none'} → {wire.after or 'none'}, {wire.word}"
    )


def _told(wires: Sequence[Wire]) -> str:
    """How many there are, in words."""
    counts: Mapping[LinkWord, int] = Counter(wire.word for wire in wires)
    words = [f"{many(counts['same'], 'connection')} allowed"] if counts["same"] else []
    words += [f"{counts[word]} {word}" for word in LINK_WORDS if counts[word] and word != "same"]
    return f"{', '.join(words) or 'No connection'}; the table below names them."
