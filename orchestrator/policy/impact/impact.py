"""What a change means beyond its single connections: exposed, isolated, without DNS, unseen by Prometheus."""

import functools
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.policy.definitions.api_server import called
from orchestrator.policy.network.api_server_access import shut
from orchestrator.policy.network.connection_diff import Change
from orchestrator.policy.network.connections import Place
from orchestrator.policy.network.dns import Resolution
from orchestrator.policy.network.ranges import Range
from orchestrator.policy.network.used_ports import scraper as scraper
from orchestrator.policy.network.used_ports import used
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.fleet import Fleet, Workload

OWN = "netpol-canary"
DNS = port_sets.span("UDP", 53, 53) | port_sets.span("TCP", 53, 53) | port_sets.span("UDP", 5353, 5353)
# HTTPS and SSH to Git hosts and to chat, the API server's ports, plain HTTP and mail for who gives such addresses.
OUTWARDS = functools.reduce(
    lambda found, port: found | port_sets.span("TCP", port, port),
    (22, 25, 80, 443, 465, 587, 3128, 6443, 8080, 8443, 9090, 9093, 9418),
    port_sets.NONE,
)


@dataclass(frozen=True)
class Impact:
    """Names of workloads; `scrapes` and `own` are connections as `from to to`, `isolated` says which direction.

    `uncallable` are webhooks and aggregated APIs, as `what at workload`.
    """

    exposed: tuple[str, ...] = ()
    isolated: tuple[str, ...] = ()
    without_dns: tuple[str, ...] = ()
    scrapes: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    uncallable: tuple[str, ...] = ()

    @property
    def isolated_workloads(self) -> int:
        """One that is isolated in both directions stands in `isolated` twice, and is one workload."""
        return workloads_of(self.isolated)

    def told(self, said: Container[tuple[str, str]] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
        """A title and its items, for what there is; `said` are kinds of risk, with an item each, that are told elsewhere."""
        for kind, title, items in (
            ("internet", "newly open to the internet", self.exposed),
            ("isolated", "newly isolated", self.isolated),
            ("dns", "DNS lost", self.without_dns),
            ("scrape", "metrics scrape lost", self.scrapes),
            ("ownPath", "netpol-canary's own way lost", self.own),
            ("", "cut off from the API server that calls them", self.uncallable),
        ):
            if left := tuple(item for item in items if (kind, item) not in said):
                yield title, left


def impact(
    old: Fleet,
    new: Fleet,
    changes: Sequence[Change],
    settled: Mapping[str, bool] | None = None,
    own: str = OWN,
) -> Impact:
    """Workloads that come with the change are not called isolated or cut off; they may be exposed."""
    nets = (old.network(settled), new.network(settled))
    known = {w.name: w for w in old.workloads}
    pairs = [(known[w.name], w) for w in new.workloads if w.name in known]
    isolated = [
        f"{after.name} ({side.lower()})"
        for before, after in pairs
        for side in Direction
        if nets[1].isolated(after.pod, side) and not nets[0].isolated(before.pod, side)
    ]
    before, after = (Resolution(fleet, net) for fleet, net in zip((old, new), nets, strict=True))
    mute = [now.name for then, now in pairs if not after.of(now.pod) and before.of(then.pod)]
    lost = [c for c in changes if c.before & ~c.after and not c.note]
    scrapes = [c for c in lost if scraper(c.src)]
    read = used(old, new).scraped if scrapes else {}
    return Impact(
        _names(c.dst for c in changes if isinstance(c.src, Range) and c.after & ~c.before),
        tuple(dict.fromkeys(isolated)),
        tuple(dict.fromkeys(mute)),
        tuple(f"{c.src.name} to {c.dst.name}" for c in scrapes if _blinds(c, read)),
        tuple(f"{c.src.name} to {c.dst.name}" for c in lost if _is_own(c, own)),
        _uncallable(old, new, settled),
    )


def workloads_of(isolated: Iterable[str]) -> int:
    """How many workloads these items of `Impact.isolated` are about."""
    return len({name.rpartition(" (")[0] for name in isolated})


def _uncallable(old: Fleet, new: Fleet, settled: Mapping[str, bool] | None) -> tuple[str, ...]:
    """Webhooks and aggregated APIs that the API server could call before."""
    before, after = (
        {
            f"{one.what} at {one.workload.name}": shut(fleet, one, settled)
            for one in called(fleet.beside, fleet)
        }
        for fleet in (old, new)
    )
    return tuple(name for name, cut in after.items() if cut and before.get(name) is False)


def _blinds(change: Change, read: Mapping[str, int]) -> bool:
    """Whether metrics are lost: by their ports, where those are known; else by whatever is cut."""
    known = read.get(change.dst.name, 0)
    return bool(change.lost & known) if known else "cut" in change.words


def _is_own(change: Change, own: str) -> bool:
    """Whether netpol-canary makes such connections, or answers them.

    It connects to DNS, to Prometheus, out to Git, the API server and chat; whoever calls it connects to its own ports.
    """
    if _space(change.dst) == own:
        return "cut" in change.words
    if _space(change.src) != own:
        return False
    if isinstance(change.dst, Range):
        return bool(change.lost & OUTWARDS)
    if scraper(change.dst):
        return "cut" in change.words
    return bool(change.lost & DNS)


def _names(places: Iterable[Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p.name for p in places))


def _space(place: Place) -> str:
    return place.pod.namespace if isinstance(place, Workload) else ""
