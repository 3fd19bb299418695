"""`reach`, `why` and `diff`: what policies mean, worked out from manifests alone."""

from __future__ import annotations

import csv
import ipaddress
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.git.directory import Directory
from orchestrator.adapters.kube.workloads import documents
from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.machine_output import aligned, formatted, printed
from orchestrator.cli.policies.exposed import entering, entrance_row, show_entrances
from orchestrator.cli.policies.reach_drawn import graph, table
from orchestrator.errors import BadInput
from orchestrator.harmless import one_line
from orchestrator.policy.definitions.needed import known_as
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.files.manifest import Document, parse_all
from orchestrator.policy.files.nearest import did_you_mean, no_address
from orchestrator.policy.network.connections import Place, Range
from orchestrator.policy.network.connections import reach as work_out
from orchestrator.policy.network.outside import EXTERNAL, INTERNET, OUTSIDE, meant
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.citing import stands
from orchestrator.policy.workloads.comparable import in_doubt, known_alone, left_out, selects_unknown
from orchestrator.policy.workloads.fleet import Fleet, fleet
from orchestrator.policy.workloads.peers import selected

MOST_IDLE = 5  # named, of the policies that select nothing
# What tells one object of two states apart though it is the same: how many there are, and the line.
_PLACE = re.compile(r"^\d+ |(?<=:)\d+(?=\):|, )")
_PORT = re.compile(r"(\d{1,5})(?:/(TCP|UDP|SCTP))?", re.IGNORECASE)


def load(
    path: Path, keep_invalid: bool = False, more: Path | None = None, empty: bool = False, said: bool = True
) -> Fleet:
    """The fleet of a directory, and of another one with the workloads.

    Raises BadInput; says on standard error what was not read, unless that is `said` elsewhere.
    """
    directory = Directory(path)
    files = directory.files(directory.resolve())
    found = fleet_of(files, str(path), empty, keep_invalid, elsewhere(more, path))
    if said:
        say_unread(found)
    return found


def elsewhere(path: Path | None, beside: Path) -> list[Document]:
    """The workloads, Services and Namespaces of another directory than that of the policies; its own are left aside."""
    if path is None:
        return []
    directory = Directory(path, beside)
    files = directory.files(directory.resolve())
    found = parse_all(files)
    return [d for d in found if not d.obj["kind"].endswith("NetworkPolicy")]


def given(path: Path | None, live: bool, target: Target, workloads: Path | None = None) -> Fleet:
    """A directory's fleet, or the cluster's. Raises BadInput where it is not clear which."""
    if (path is None) != live or (live and workloads is not None):
        raise BadInput("which policies are meant?", hint="give a directory, or --cluster alone")
    if path is not None:
        return load(path, more=workloads)
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
    documents_ = parse_all(files)
    found = fleet([*documents_, *more], keep_invalid)
    if not found.workloads and found.malformed and not empty:
        document, wrong = found.malformed[0]
        raise BadInput(wrong, document.where, "correct it: no other workload is here")
    if not found.workloads and not empty:
        hint = "Deployments, Pods or the like are needed; --workloads DIR takes them from elsewhere"
        raise BadInput("there is no workload here", where, hint)
    return found


def unread(*states: Fleet) -> list[str]:
    """What was not read of the last state, and of those before it what is not among that."""
    found: dict[str, str] = {}
    for state in reversed(states):
        for what in (*state.skipped, *(left_out(state) if state is states[-1] else ())):
            found.setdefault(_PLACE.sub("", what), what)
    return [*found.values(), *in_doubt(states[0], states[-1])]


def say_unread(*states: Fleet) -> None:
    """Name it on standard error, each once."""
    for what in unread(*states):
        print(f"netpol-canary: not analysed: {one_line(what)}", file=sys.stderr)


def say_idle(found: Fleet) -> None:
    """Name on standard error the policies that select no workload: no answer holds anything of them."""
    idle = [title(p) for p in found.policies if not selected(found, p) and not selects_unknown(found, p)]
    for name in idle[:MOST_IDLE]:
        place = stands(found, name)
        text = f"{bare(name)}{f' ({place})' if place else ''} selects no workload, and changes nothing here"
        print(f"netpol-canary: {one_line(text)}", file=sys.stderr)
    if len(idle) > MOST_IDLE:
        print(
            f"netpol-canary: {len(idle) - MOST_IDLE} more policies select no workload: lint names them",
            file=sys.stderr,
        )


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
        return place in meant(wanted, [place]) or _address(wanted, place)
    return wanted in known_as(place)


def _sure(found: Fleet, wanted: str, option: str) -> str:
    """What is wanted, a pod's address as the pod. Raises BadInput where it names nothing: none found would read as "no"."""
    names = {name for w in found.workloads for name in known_as(w)}
    for workload in found.workloads:
        if wanted in known_as(workload):
            found.refuse_space(workload.pod.namespace)
    if wanted in ("", *OUTSIDE, *names):
        return wanted
    found.refuse_hidden(wanted)
    if no_address(wanted):
        raise BadInput(f"{wanted} is no IP address", option, "correct it")
    if wanted in found.namespaces:
        raise BadInput(f"namespace {wanted} has no workload here", option)
    try:
        address = str(ipaddress.ip_address(wanted))
    except ValueError:
        known = sorted({n for w in found.workloads for n in (w.pod.namespace, known_as(w)[3])})
        hint = did_you_mean(
            wanted, known, f"give a namespace, namespace/name, an address, {EXTERNAL} or {INTERNET}"
        )
        raise BadInput(f"{wanted} is no workload or namespace here", option, hint) from None
    pods = (w for w in found.workloads if not w.pod.host_network)
    return next((w.name for w in pods if address in (w.pod.ip, *w.pod.other_ips)), address)


def _address(text: str, place: Range) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == place.first.version and int(place.first) <= int(address) <= int(place.last)


def reach(found: Fleet, src: str, dst: str, port: str, cni: str, output: str) -> int:
    """Print who may connect to whom."""
    formatted(output, "text", "csv", "dot", "mermaid")
    src, dst = _sure(found, src, "--from"), _sure(found, dst, "--to")
    say_idle(found)
    (found,) = known_alone(found)
    kept = work_out(found, profile(cni), lambda a, b: _named(a, src) and _named(b, dst), replicas=True)
    if port:
        wanted = port_of(port)
        kept = [c for c in kept if port_sets.contains(c.ports, *wanted)]
    rows = [{"from": c.src.name, "to": c.dst.name, "ports": port_sets.text(c.ports)} for c in kept]
    asked = src in ("", EXTERNAL, INTERNET)
    inward, told = entering(found, cni, port_of(port) if port else None, dst) if asked else ([], [])
    inward = [e for e in inward if _named(e.dst, dst)]
    if output in ("json", "yaml"):
        skipped = [*found.skipped, *told]
        ways = [entrance_row(e) for e in inward]
        printed({"connections": rows, "entrances": ways, "notAnalysed": skipped, "notRead": skipped}, output)
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows(table(kept, inward))
    elif output in ("dot", "mermaid"):
        print("\n".join(graph(kept, inward, output)))
    elif not rows:
        print("no connection is known" if found.malformed else "no connection is allowed")
    else:
        print(
            "\n".join(aligned([["FROM", "TO", "PORTS"], *([r["from"], r["to"], r["ports"]] for r in rows)]))
        )
    if output in ("", "text"):
        show_entrances(inward)
    return 0
