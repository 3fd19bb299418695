"""What `reach` says of entrances, and `reach --exposure`: whom workloads would let in of pods that do not exist yet."""

from collections.abc import Iterable, Sequence

from orchestrator.cli.printing import formatted, note, printed, table
from orchestrator.harmless import one_line
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.impact.exposure import Entrance, entrances, exposure
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import agreeing, few, many

MOST_SHOWN = 3  # address ranges in a line; -o json has all


def show(found: Fleet, cni: str, output: str) -> int:
    """Print the exposure of every workload."""
    formatted(output, "text")
    every = exposure(found, profile(cni).get("block_covers_pods", False))
    rows = [{"to": e.dst.name, "from": e.src, "ports": port_sets.text(e.ports)} for e in every]
    if found.further:
        number = len(found.further)
        said = f"{many(number, 'policy')} of further APIs {agreeing(number, 'is', 'are')}"
        text = f"{said} asked about pods without labels alone: what else opens to pods that do not exist yet is not shown"
        note(text)
    if output in ("json", "yaml"):
        printed({"exposure": rows, "notRead": list(found.skipped)}, output)
    elif not rows:
        print("no workload would let a pod in that does not exist yet")
    else:
        cells = ([one_line(r[key]) for key in ("to", "from", "ports")] for r in rows)
        table(["TO", "WOULD LET IN", "PORTS"], cells)
    return 0


def entering(
    found: Fleet, cni: str, port: tuple[str, int] | None, to: str = ""
) -> tuple[list[Entrance], list[str]]:
    """The ways in from outside, on one port or on any; and what they lead to and is not known, which goes to standard error, too.

    With `to`, what is said there concerns that workload or namespace.
    """
    ways, told = entrances(found, Platform(), profile(cni), to)
    for text in told:
        note(text)
    return [w for w in ways if port is None or port in w.ports], told


def entrance_row(way: Entrance) -> dict[str, object]:
    """An entrance as plain data."""
    return {
        "through": way.through,
        "from": way.src,
        "to": way.dst.name,
        "ports": ports_text(way.ports),
        "open": not way.because,
        "onlyFrom": list(way.partly),
        "because": list(way.because),
    }


def show_entrances(ways: Sequence[Entrance]) -> None:
    """Print them below the connections; nothing where there is none."""
    if ways:
        rows = [
            [one_line(t) for t in (w.through, w.src, w.dst.name, ports_text(w.ports), verdict(w))]
            for w in ways
        ]
        print()
        table(["THROUGH", "FROM", "TO", "PORTS", "POLICIES"], rows)


def verdict(way: Entrance) -> str:
    """Whether policies let it pass, to whom, and what keeps it shut."""
    if way.because:
        return f"shut: {'; '.join(way.because)}"
    return f"open to {few(way.partly, MOST_SHOWN, last=', and')} alone" if way.partly else "open"


def ports_text(ports: Iterable[tuple[str, int]]) -> str:
    """As they are shown, `TCP 80, TCP 443`."""
    return ", ".join(f"{protocol} {number}" for protocol, number in sorted(ports))
