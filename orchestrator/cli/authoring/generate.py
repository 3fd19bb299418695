"""`generate`: policies as files, from service definitions."""

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.cli import new_files
from orchestrator.cli.policies.fleets import files_of
from orchestrator.cli.policies.recorded import recorded as recorded
from orchestrator.cli.policies.recorded import say_unknown
from orchestrator.cli.printing import note
from orchestrator.errors import BadInput
from orchestrator.policy.author.generator import from_flows, problems
from orchestrator.policy.author.generator import generate as make
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.files.manifest import Document, parse_all
from orchestrator.policy.network.recordings import unknown
from orchestrator.policy.schemas.policy_kinds import is_policy
from orchestrator.policy.translate.translation import write_as
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.ports import Kind
from orchestrator.rollout.resources.places import CLUSTER
from orchestrator.wording import many

POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")


def generate(
    path: Path, flows: Path | None, to: Path | None, platform: Platform, kind: str, only: Sequence[str] = ()
) -> int:
    """Default-deny and exceptions for a directory's workloads, of all namespaces or some, on standard output or as files."""
    write_as(kind, "--kind")
    documents = parse_all(files_of(path))
    found = fleet(d for d in documents if not _standing(d))
    if not found.workloads:
        raise BadInput("there is no workload here", str(path), "Deployments, Pods or the like are needed")
    needed, notes = needs(documents, found, platform)
    if flows is not None:
        seen = recorded(flows)
        say_unknown(found, gone := unknown(found, seen))
        if len(gone) == len(seen):
            raise BadInput("no recorded connection is of workloads that are here", str(flows))
        needed += from_flows(found, seen)
    for text in found.skipped:
        note(f"not read: {text}")
    for text in [*notes, *problems(found, needed, platform, kind)]:
        note(text)
    made = make(found, needed, platform, kind, only)
    if not made and only:
        raise BadInput(
            f"there is no workload in {', '.join(only)}", "--only", "name a namespace that has one"
        )
    if to is None:
        print("---\n".join(f.text for f in made), end="")
    else:
        written(to, {_path(f.path): f.text for f in made})
    return 0


def _path(path: str) -> str:
    """What is for the whole cluster has a folder of its own."""
    return path if "/" in path else f"{CLUSTER}/{path}"


def range_of(text: str, option: str) -> str:
    """A range of addresses as policies write it. Raises BadInput."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise BadInput(f"{text} is no range of addresses", option, "write 10.0.0.0/16") from None


def _standing(document: Document) -> bool:
    """A policy that stands there already: what is generated does not depend on it."""
    return is_policy(document.obj)


def written(to: Path, files: Mapping[str, str], count: int = 0, option: str = "--to") -> int:
    """Write all files, or none where one stands there with other content; `count` policies, one a file. Raises BadInput."""
    new_files.write(to, files, f"give {option} a new directory")
    print(f"{many(count or len(files), 'policy')} written to {to}")
    return 0
