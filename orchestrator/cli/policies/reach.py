"""`reach`: which workloads may connect to which, worked out from manifests alone."""

import ipaddress
import re
from functools import partial

from orchestrator.cli.policies.exposed import entering, entrance_row, show_entrances
from orchestrator.cli.policies.fleets import say_idle
from orchestrator.cli.policies.reach_drawn import cells, graph
from orchestrator.cli.printing import formatted, printed, spreadsheet, table
from orchestrator.errors import BadInput
from orchestrator.policy.definitions.needed import known_as
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.nearest import did_you_mean, no_address
from orchestrator.policy.network.connections import Place, anything
from orchestrator.policy.network.connections import reach as work_out
from orchestrator.policy.network.outside import EXTERNAL, INTERNET, OUTSIDE, meant
from orchestrator.policy.network.ranges import Range
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.policy.workloads.fleet import Fleet

_PORT = re.compile(r"(\d{1,5})(?:/(TCP|UDP|SCTP))?", re.IGNORECASE)


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
    from_, to = (partial(_named, wanted=wanted) if wanted else anything for wanted in (src, dst))
    kept = work_out(found, profile(cni), from_, to, replicas=True)
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
        spreadsheet(cells(kept, inward))
    elif output in ("dot", "mermaid"):
        print("\n".join(graph(kept, inward, output)))
    elif not rows:
        print("no connection is known" if found.malformed else "no connection is allowed")
    else:
        table(["FROM", "TO", "PORTS"], ([r["from"], r["to"], r["ports"]] for r in rows))
    if output in ("", "text"):
        show_entrances(inward)
    return 0
