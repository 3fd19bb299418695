"""The workloads and policies that a command is asked about, from directories or a cluster; and what of them was not read."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.git.directory import Directory
from orchestrator.cli.app import Target
from orchestrator.cli.printing import note
from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.cni_profiles import GENERIC
from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.files.manifest import Document, Known, parse_all
from orchestrator.policy.network.left_open import left_open, told
from orchestrator.policy.workloads.citing import stands
from orchestrator.policy.workloads.comparable import in_doubt, left_out, selects_unknown
from orchestrator.policy.workloads.fleet import Fleet, fleet
from orchestrator.policy.workloads.peers import selected
from orchestrator.wording import agreeing, many

MOST_IDLE = 5  # named, of the policies that select nothing
# What tells one object of two states apart though it is the same: how many there are, and the line.
_PLACE = re.compile(r"^\d+ |(?<=:)\d+(?=\):|, )")


def files_of(path: Path, beside: Path | None = None) -> Mapping[str, bytes]:
    """The manifests of a directory. Raises BadInput where it is not there."""
    directory = Directory(path, beside)
    return directory.files(directory.resolve())


def load(
    path: Path,
    keep_invalid: bool = False,
    more: Path | None = None,
    empty: bool = False,
    said: bool = True,
    cni: str = GENERIC,
    known: Known | None = None,
) -> Fleet:
    """The fleet of a directory, and of another one with the workloads, as a CNI has it.

    Raises BadInput; says on standard error what was not read, unless that is `said` elsewhere.
    """
    found = fleet_of(files_of(path), str(path), empty, keep_invalid, elsewhere(more, path), cni, known)
    if said:
        say_unread(found)
    return found


def elsewhere(path: Path | None, beside: Path) -> list[Document]:
    """The workloads, Services and Namespaces of another directory than that of the policies; its own are left aside."""
    if path is None:
        return []
    return [d for d in parse_all(files_of(path, beside)) if not d.obj["kind"].endswith("NetworkPolicy")]


def given(
    path: Path | None, live: bool, target: Target, workloads: Path | None = None, cni: str = GENERIC
) -> Fleet:
    """A directory's fleet, or the cluster's, as a CNI has it. Raises BadInput where it is not clear which."""
    if (path is None) != live or (live and workloads is not None):
        raise BadInput("which policies are meant?", hint="give a directory, or --cluster alone")
    if path is not None:
        return load(path, more=workloads, cni=cni)
    found = fleet(standing(target), live=True).under(cni)
    if not found.workloads:
        raise BadInput("there is no pod in the cluster")
    say_unread(found)
    return found


def standing(target: Target) -> list[Document]:
    """What stands in a cluster. What speaks to one takes longer to import than many directories to read."""
    from orchestrator.adapters.kube.workloads import documents
    from orchestrator.cli import wiring

    return list(documents(wiring.connected(target).cluster))


def fleet_of(
    files: Mapping[str, bytes],
    where: str,
    empty: bool = False,
    keep_invalid: bool = False,
    more: Sequence[Document] = (),
    cni: str = GENERIC,
    known: Known | None = None,
) -> Fleet:
    """The fleet of some files, as a CNI has it; BadInput where they hold no workload, unless it may be empty."""
    documents_ = parse_all(files, known)
    found = fleet([*documents_, *more], keep_invalid).under(cni)
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
            same = what.rpartition(": ")[0] if what in state.unheeded else what  # whatever their names
            found.setdefault(_PLACE.sub("", same), what)
    changed = left_open(states[0], states[-1]) if len(states) > 1 else []
    return [*found.values(), *in_doubt(states[0], states[-1]), *told(changed)]


def say_unread(*states: Fleet) -> None:
    """Name it on standard error, each once."""
    for what in unread(*states):
        note(f"not analysed: {what}")


def say_idle(found: Fleet) -> None:
    """Name on standard error the policies that select no workload: no answer holds anything of them."""
    idle = [title(p) for p in found.policies if not selected(found, p) and not selects_unknown(found, p)]
    for name in idle[:MOST_IDLE]:
        place = stands(found, name)
        text = f"{bare(name)}{f' ({place})' if place else ''} selects no workload, and changes nothing here"
        note(text)
    if len(idle) > MOST_IDLE:
        left = len(idle) - MOST_IDLE
        said = f"{many(left, 'more policy')} {agreeing(left, 'selects', 'select')}"
        note(f"{said} no workload: lint names {agreeing(left, 'it', 'them')}")
