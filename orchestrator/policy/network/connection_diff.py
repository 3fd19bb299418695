"""What a change of manifests does to the network: connections gained, lost and changed, and which rules did it."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.files.manifest import space_of
from orchestrator.policy.network.beyond import Beyond, together
from orchestrator.policy.network.connections import Place, merged, table
from orchestrator.policy.network.ranges import Range, ranges
from orchestrator.policy.network.used_ports import used
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.workloads.citing import Commits, History, policy_of, same_before
from orchestrator.policy.workloads.citing import located as located
from orchestrator.policy.workloads.comparable import asked_alike
from orchestrator.policy.workloads.fleet import Fleet, Workload

Word = Literal["opened", "widened", "cut", "narrowed"]


class Moved:
    """What a change does to the ports of a connection, in words; `used` are those that the destination is known to use.

    A connection is narrowed where it loses ports and keeps every one that is used, else cut; where nothing is known of the
    destination, whatever it loses is cut. It is widened where it gains ports beside some that it keeps, else opened.
    """

    before: int
    after: int
    used: int

    @property
    def gained(self) -> int:
        """The ports that are allowed afterwards alone."""
        return self.after & ~self.before

    @property
    def lost(self) -> int:
        """The ports that were allowed before alone."""
        return self.before & ~self.after

    @property
    def words(self) -> tuple[Word, ...]:
        """One, or two where it gains some ports and loses others."""
        kept = self.before & self.after
        found: list[Word] = []
        if self.gained:
            found.append("widened" if kept else "opened")
        if self.lost:
            found.append("narrowed" if kept and self.used and not self.lost & self.used else "cut")
        return tuple(found)

    @property
    def said(self) -> str:
        """The words as people read them: `widened`, or `opened and cut`."""
        return " and ".join(self.words)


@dataclass(frozen=True)
class Change(Moved):
    """`before` and `after` are sets as in ports.py; `because` names rules with file and line, `note` workloads."""

    kind: Literal["gained", "lost", "changed"]
    src: Place
    dst: Place
    before: int
    after: int
    because: tuple[str, ...] = ()
    note: str = ""
    used: int = 0


def changes(
    old: Fleet,
    new: Fleet,
    settled: Mapping[str, bool] | None = None,
    commits: History | Mapping[str, str] | None = None,
    flows: Mapping[tuple[str, str], int] | None = None,
    replicas: bool = False,
) -> list[Change]:
    """Every pair of workloads, or of a workload and the outside, that may do something else afterwards.

    `commits` says which of them touched a rule, to be named with it, or by file which one did; `flows` the ports on which recorded
    traffic went, by both names, the first empty for an address. With `replicas` also among the pods of one workload.
    """
    old, new = asked_alike(*_counted_alike(old, new))
    near = touched(old, new)
    first, last = (table(f, settled, touched=near, replicas=replicas) for f in (old, new))
    rows: list[tuple[Place, Place, tuple[int, int]]] = []
    for key in {**first, **last}:
        before, after = (t[key].ports if key in t else port_sets.NONE for t in (first, last))
        if before != after:
            either = first.get(key) or last[key]
            rows.append((either.src, either.dst, (before, after)))
    outside = ranges(old, new, settled=settled)
    beyond = (Beyond(old, old.network(settled), outside), Beyond(new, new.network(settled), outside))
    rows += merged(sorted(_outside(old, new, beyond, near), key=lambda r: (*_order(r[0]), *_order(r[1]))))
    sides = _Sides(old, new, settled, commits, beyond)
    found = [sides.change(*row) for row in rows]
    known = used(old, new)
    found = [replace(c, used=known.by(c.src, c.dst.name) | _seen(flows or {}, c)) for c in found]
    return sorted(found, key=lambda c: (("changed", "gained", "lost").index(c.kind), c.src.name, c.dst.name))


def _outside(
    old: Fleet, new: Fleet, beyond: tuple[Beyond, Beyond], near: frozenset[str] | None
) -> Iterator[tuple[Place, Place, tuple[int, int]]]:
    """What differs between workloads and the outside."""
    for side in Direction:
        asked = ([w for w in f.workloads if near is None or w.pod.namespace in near] for f in (old, new))
        first, last = (b.answers(side, some) for b, some in zip(beyond, asked, strict=True))
        for name in dict.fromkeys((*first, *last)):
            workload, before = first.get(name) or (last[name][0], [])
            _, after = last.get(name, (workload, []))
            for at, end, sets in beyond[0].stretches(together(before, after)):
                if sets[0] != sets[1]:
                    ends: tuple[Place, Place] = (workload, beyond[0].span(at, end))
                    yield *side.ends(*ends), (sets[0], sets[1])


def _seen(flows: Mapping[tuple[str, str], int], change: Change) -> int:
    first = "" if isinstance(change.src, Range) else change.src.name
    return flows.get((first, change.dst.name), 0)


def _counted_alike(old: Fleet, new: Fleet) -> tuple[Fleet, Fleet]:
    """With several pods on both sides where a workload has them on one: more replicas are no change of connections."""
    many = {w.name for f in (old, new) for w in f.workloads if w.pod.many}
    if not many:
        return old, new
    sides = [
        replace(
            f,
            workloads=tuple(
                replace(w, pod=replace(w.pod, many=True)) if w.name in many and not w.pod.many else w
                for w in f.workloads
            ),
        )
        for f in (old, new)
    ]
    return sides[0], sides[1]


def touched(old: Fleet, new: Fleet) -> frozenset[str] | None:
    """The namespaces where anything differs, labels, workloads or policies; None where it may differ everywhere."""
    wide = [[p for p in f.further if not p["metadata"].get("namespace")] for f in (old, new)]
    if wide[0] != wide[1] or (old.referred, old.order) != (new.referred, new.order):
        return None
    if wide[0] and old.nodes != new.nodes:
        return None
    parts = [_parts(f) for f in (old, new)]
    found = frozenset(n for n in {*parts[0], *parts[1]} if parts[0].get(n) != parts[1].get(n))
    sets = {space_of(o) for o in new.referred if o["kind"] == "NetworkSet"}
    # A set of networks has the labels of its namespace, and stands for addresses anywhere.
    return None if any(old.namespaces.get(n) != new.namespaces.get(n) for n in found & sets) else found


def _parts(fleet: Fleet) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {name: [dict(labels)] for name, labels in fleet.namespaces.items()}
    for workload in fleet.workloads:
        found[workload.pod.namespace].append((workload, dict(workload.pod.labels)))
    everything = [*fleet.policies, *(p for p in fleet.further if p["metadata"].get("namespace"))]
    for policy in sorted(everything, key=title):
        said = {key: policy.get(key) for key in ("spec", "specs")}
        found[policy["metadata"]["namespace"]].append((bare(title(policy)), said))
    return found


def _order(place: Place) -> tuple[int, int, str]:
    """Ranges in the order of their addresses, so that neighbours follow each other."""
    if isinstance(place, Range):
        return (place.first.version, int(place.first), "")
    return (0, 0, place.name)


class _Sides:
    """Both sides of a change, and what was found out of them so far: addresses that no rule tells apart share it."""

    def __init__(
        self,
        old: Fleet,
        new: Fleet,
        settled: Mapping[str, bool] | None,
        commits: History | Mapping[str, str] | None,
        beyond: tuple[Beyond, Beyond],
    ) -> None:
        self._fleets, self._commits = (old, new), commits
        self._same = same_before(old, new)
        self._nets = [f.network(settled) for f in self._fleets]
        self._pods = [{w.name: w.pod for w in reversed(f.workloads)} for f in self._fleets]
        self._beyond = beyond
        self._known: dict[Hashable, tuple[str, ...]] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # of thousands of addresses

    def change(self, src: Place, dst: Place, sets: tuple[int, int]) -> Change:
        before, after = sets
        kind: Literal["gained", "lost", "changed"] = (
            "changed" if before and after else "gained" if after else "lost"
        )
        notes = [
            f"workload {place.name} {'added' if place.name in self._pods[1] else 'removed'}"
            for place in (src, dst)
            if isinstance(place, Workload) and not all(place.name in pods for pods in self._pods)
        ]
        # What is gained and what is lost may have rules of their own.
        parts = [(before, before & after), (before & after, after)] if not notes else []
        asked = [_differing(*part) for part in parts if part[0] != part[1]]
        because = tuple(dict.fromkeys(r for port in asked for r in self._because(src, dst, *port)))
        because = self._shared.setdefault(because, because)
        return Change(kind, src, dst, before, after, because, "; ".join(dict.fromkeys(notes)))

    def _because(self, src: Place, dst: Place, protocol: str, port: int) -> tuple[str, ...]:
        key = (self._kind(src, dst, EGRESS), self._kind(dst, src, INGRESS), protocol, port)
        if key not in self._known:
            self._known[key] = tuple(self._rules(src, dst, protocol, port))
        return self._known[key]

    def _kind(self, place: Place, other: Place, side: Direction) -> Hashable:
        """An end as the policies of the other one see it, which do so by the other direction."""
        if isinstance(place, Workload):
            return place.name
        known = ((b, pods.get(other.name)) for b, pods in zip(self._beyond, self._pods, strict=True))
        return tuple(b.kind(pod, side.other, place) if pod else None for b, pod in known)

    def _rules(self, src: Place, dst: Place, protocol: str, port: int) -> Iterator[str]:
        """The rules that decide a port that differs, where they are not the same on both sides of the change."""
        told = []
        sides = zip(self._fleets, self._nets, self._pods, _named(self._commits), strict=True)
        for fleet, net, pods, commits in sides:
            one, other = (str(p.first) if isinstance(p, Range) else pods[p.name] for p in (src, dst))
            why = net.decide(one, other, protocol, port).why
            told.append(
                {
                    (w.side, *self._meant(fleet, rule)): (fleet, rule, commits, deep)
                    for w in why
                    for rule, deep in w.cited
                }
            )
        # A rule that only stands on another line now is no reason for a change.
        for word, mine, theirs in (("before", told[0], told[1]), ("after", told[1], told[0])):
            texts = (f"{key[0]}: {located(*mine[key])}" for key in mine.keys() - theirs.keys())
            yield from (f"{word}, {text}" for text in sorted(texts))

    def _meant(self, fleet: Fleet, rule: str) -> tuple[str, str]:
        """A rule as both sides know it: with the title that its policy has after the change, of several of that name."""
        name = policy_of(rule)
        if fleet is self._fleets[0]:
            name = self._same.get(name, f"{name} before") if name else ""
        return bare(rule), name


def _named(commits: History | Mapping[str, str] | None) -> tuple[Commits, Commits]:
    """How the commits of a change are named on its two sides: they did not write what stood before it."""

    def by_file(file: str, *_: str) -> str:
        return commits.get(file, "") if isinstance(commits, Mapping) else ""

    told = None if isinstance(commits, Mapping) else commits
    changed, made = (told.changed, told.made) if told else (by_file, by_file)
    return lambda *asked: f"changed by {said}" if (said := changed(*asked)) else "", made


def _differing(before: int, after: int) -> tuple[str, int]:
    for protocol in port_sets.PROTOCOLS:
        for first, _ in port_sets.runs(before ^ after, protocol):
            return protocol, first
    raise AssertionError("nothing differs")
