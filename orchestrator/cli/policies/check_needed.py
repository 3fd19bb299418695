"""`generate --check`: which of the connections that definitions ask for the policies of a directory would cut."""

from pathlib import Path

from orchestrator.cli.policies.exposed import ports_text
from orchestrator.cli.policies.fleets import elsewhere, files_of
from orchestrator.cli.printing import formatted, note, printed
from orchestrator.errors import BadInput
from orchestrator.harmless import one_line
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.evaluate.cni_profiles import covers_nodes, profile
from orchestrator.policy.files.manifest import parse_all
from orchestrator.policy.impact.would_cut import undecided, would_cut
from orchestrator.policy.network.resolving import under_cilium
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.wording import agreeing, many


def check(path: Path, workloads: Path | None, platform: Platform, cni: str, output: str) -> int:
    """0, or 1 where something that is needed would be cut. Raises BadInput where there is nothing to check."""
    formatted(output, "text")
    settled = profile(cni)
    documents = parse_all(files_of(path)) + elsewhere(workloads, path)
    whole = fleet(documents).under(cni)
    if not whole.workloads:
        raise BadInput("there is no workload here", str(path), "--workloads DIR takes them from elsewhere")
    if not whole.policies and not whole.further and not whole.unenforced:
        raise BadInput("there is no policy here to check", str(path), "without --check some are generated")
    needed, notes = needs(documents, whole, platform)
    notes += under_cilium(whole) if covers_nodes(cni) is None else []
    unread = [f"not read: {t}" for t in whole.skipped]
    for text in [*unread, *notes]:
        note(text)
    (known,) = known_alone(whole)
    gone = {w.name for w in whole.workloads} - {w.name for w in known.workloads}
    needed = [e for e in needed if not {getattr(end, "name", "") for end in (e.src, e.dst)} & gone]
    found = would_cut(known, needed, platform, settled)
    unknown = [f"not known: {text}" for text in undecided(known, needed, settled)]
    for text in unknown:
        note(text)
    notes += unknown
    if output in ("json", "yaml"):
        rows = [
            {
                "from": c.src,
                "to": c.dst,
                "ports": ports_text(c.ports),
                "neededBy": c.origin,
                "because": list(c.because),
            }
            for c in found
        ]
        printed({"needed": len(needed), "cut": rows, "notRead": [*unread, *notes]}, output)
    else:
        for cut in found:
            print(one_line(f"cut: {cut.src} to {cut.dst}, {ports_text(cut.ports)}: {cut.origin}"))
            for reason in cut.because:
                print(f"  {one_line(reason)}")
        services = {c.dst for c in found}
        wanted = f"{many(len(needed), 'connection')} {agreeing(len(needed), 'is', 'are')} needed"
        print(f"{len(found)} cut, towards {many(len(services), 'destination')}; {wanted}")
    return 1 if found else 0
