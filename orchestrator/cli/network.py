"""`reach`, `why` and `diff`: what policies mean, worked out from manifests alone."""

from __future__ import annotations

import csv
import ipaddress
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.directory import Directory
from orchestrator.adapters.live import documents
from orchestrator.cli import wiring
from orchestrator.cli.report import aligned, formatted, printed
from orchestrator.cli.wiring import Target
from orchestrator.errors import BadInput
from orchestrator.policy import ports
from orchestrator.policy.connection_diff import located
from orchestrator.policy.connections import Connection, Place, Range
from orchestrator.policy.connections import reach as work_out
from orchestrator.policy.fleet import Fleet, fleet
from orchestrator.policy.manifest import Document, parse
from orchestrator.policy.pod import End
from orchestrator.policy.reading import profile

_PORT = re.compile(r"(\d{1,5})(?:/(TCP|UDP|SCTP))?", re.IGNORECASE)


def load(path: Path, keep_invalid: bool = False, more: Path | None = None, empty: bool = False) -> Fleet:
    """The fleet of a directory, and of another one with the workloads.

    Raises BadInput; says on standard error what was not read.
    """
    directory = Directory(path)
    files = directory.files(directory.resolve())
    return fleet_of(files, str(path), empty, keep_invalid, elsewhere(more))


def elsewhere(path: Path | None) -> list[Document]:
    """The workloads, Services and Namespaces of another directory; its policies are left aside."""
    if path is None:
        return []
    directory = Directory(path)
    files = directory.files(directory.resolve())
    found = [d for name, content in files.items() for d in parse(content, f"{path}/{name}")]
    return [d for d in found if not d.obj["kind"].endswith("NetworkPolicy")]


def given(path: Path | None, live: bool, target: Target) -> Fleet:
    """A directory's fleet, or the cluster's. Raises BadInput where it is not clear which."""
    if (path is None) != live:
        raise BadInput("what is to be looked at?", hint="give a directory, or --cluster")
    if path is not None:
        return load(path)
    found = fleet(documents(wiring.connected(target).cluster))
    if not found.workloads:
        raise BadInput("there is no pod in the cluster")
    return found


def fleet_of(
    files: Mapping[str, bytes],
    where: str,
    empty: bool = False,
    keep_invalid: bool = False,
    more: Sequence[Document] = (),
) -> Fleet:
    """The fleet of some files; BadInput where they hold no workload, unless it may be empty."""
    documents_ = [d for name, content in files.items() for d in parse(content, name)]
    found = fleet([*documents_, *more], keep_invalid)
    if not found.workloads and not empty:
        hint = "Deployments, Pods or the like are needed; --workloads DIR takes them from elsewhere"
        raise BadInput("there is no workload here", where, hint)
    for what in found.skipped:
        print(f"netpol-canary: not analysed: {what}", file=sys.stderr)
    return found


def port_of(text: str) -> tuple[str, int]:
    """`8080` or `53/UDP`. Raises BadInput."""
    match = _PORT.fullmatch(text)
    if match is None or not 1 <= int(match.group(1)) <= 65535:
        raise BadInput(f"{text} is not a port", "--port", "write 8080 or 53/UDP")
    return (match.group(2) or "TCP").upper(), int(match.group(1))


def _named(place: Place, wanted: str) -> bool:
    if not wanted:
        return True
    if isinstance(place, Range):
        return wanted == "external" or _address(wanted, place)
    return wanted in (
        place.name,
        place.pod.name,
        place.pod.namespace,
        f"{place.pod.namespace}/{place.pod.name}",
    )


def _address(text: str, place: Range) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == place.first.version and int(place.first) <= int(address) <= int(place.last)


def reach(found: Fleet, src: str, dst: str, port: str, cni: str, output: str) -> int:
    """Print who may connect to whom."""
    formatted(output, "text", "csv", "dot", "mermaid")
    kept = work_out(found, profile(cni), lambda a, b: _named(a, src) and _named(b, dst))
    if port:
        wanted = port_of(port)
        kept = [c for c in kept if ports.contains(c.ports, *wanted)]
    rows = [{"from": c.src.name, "to": c.dst.name, "ports": ports.text(c.ports)} for c in kept]
    if output in ("json", "yaml"):
        printed(
            {"connections": rows, "notAnalysed": list(found.skipped), "notRead": list(found.skipped)}, output
        )
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([("from", "to", "ports"), *((r["from"], r["to"], r["ports"]) for r in rows)])
    elif output in ("dot", "mermaid"):
        print("\n".join(_graph(kept, output)))
    elif not rows:
        print("no connection is allowed")
    else:
        print(
            "\n".join(aligned([["FROM", "TO", "PORTS"], *([r["from"], r["to"], r["ports"]] for r in rows)]))
        )
    return 0


def _graph(found: list[Connection], form: str) -> list[str]:
    names = sorted({e.name for c in found for e in (c.src, c.dst)})
    number = {name: f"n{i}" for i, name in enumerate(names)}
    if form == "dot":
        lines = ["digraph reach {", "  rankdir=LR;", *(f'  {number[n]} [label="{n}"];' for n in names)]
        arrows = [
            f'  {number[c.src.name]} -> {number[c.dst.name]} [label="{ports.text(c.ports)}"];' for c in found
        ]
        return [*lines, *arrows, "}"]
    lines = ["graph LR", *(f'  {number[n]}["{n}"]' for n in names)]
    return [
        *lines,
        *(f'  {number[c.src.name]} -->|"{ports.text(c.ports)}"| {number[c.dst.name]}' for c in found),
    ]


def _ends(found: Fleet, text: str) -> list[End]:
    try:
        return [str(ipaddress.ip_address(text))]
    except ValueError:
        return [w.pod for w in found.find(text)]


def why(found: Fleet, src: str, dst: str, port: str, cni: str) -> int:
    """Print yes, no or "depends on the CNI", and what decides it at both ends; exit code 0, 1 or 3."""
    net = found.network(profile(cni))
    protocol, number = port_of(port)
    codes = []
    for one in _ends(found, src):
        for other in _ends(found, dst):
            decision = net.decide(one, other, protocol, number)
            word = {True: "yes", False: "no", None: "depends on the CNI"}[decision.allowed]
            print(f"{_title(one)} to {_title(other)} on {number}/{protocol}: {word}")
            for side in decision.why:
                mark = "lets it pass" if side.allowed else "keeps it out"
                print(f"  {side.side} {mark}:")
                for rule in side.rules:
                    print(f"    {located(found, rule)}")
            for question in decision.depends:
                print(f"  it depends on {question}; name the CNI with --cni")
            codes.append({True: 0, False: 1, None: 3}[decision.allowed])
    return max(codes)


def _title(end: End) -> str:
    return end if isinstance(end, str) else f"{end.namespace}/{end.name}"
