"""`convert`: policies in the words of another API, refused where it has none, and proven to change no connection."""

import sys
from collections.abc import Iterable
from pathlib import Path

from orchestrator.cli.authoring.generate import written
from orchestrator.cli.policies.diff import Difference, as_text
from orchestrator.cli.policies.fleets import elsewhere, files_of, say_unread
from orchestrator.cli.printing import note
from orchestrator.errors import BadInput
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.files.manifest import parse_all
from orchestrator.policy.impact.impact import impact
from orchestrator.policy.schemas.acceptable import accepted
from orchestrator.policy.schemas.policy_kinds import is_policy, namespaced
from orchestrator.policy.translate.made import Made, text_of
from orchestrator.policy.translate.rehearsal import Rehearsal, rehearsed
from orchestrator.policy.translate.translation import Remark, Translation, translated
from orchestrator.rollout.resources.places import place
from orchestrator.wording import agreeing, many


def convert(path: Path, target: str, into: Path | None, workloads: Path | None) -> int:
    """Print the policies, or write them as files; 2 where one cannot be said, or means something else then."""
    files = files_of(path)
    documents = [*parse_all(files), *elsewhere(workloads, path)]
    policies = [accepted(d) for d in documents if is_policy(d.obj)]
    if not policies:
        raise BadInput("there is no policy here", str(path))
    found = translated(policies, target)
    places = Places(files, read=True)
    if found.refused:
        for line in _told(found.refused, places):
            print(line, file=sys.stderr)
        count = len(found.refused)
        said = f"{many(count, 'field')} that --to {target} cannot say"
        raise BadInput(
            f"{said}: nothing is written",
            hint=f"leave {agreeing(count, 'it', 'them')} out, or keep such policies as they are",
        )
    shown = rehearsed(documents, found.documents, found.statements)
    say_unread(shown.before)
    if shown.changes:
        _refuse(shown, target)
    for text in [*_told(found.notes, places), *found.general]:
        note(text)
    texts = _texts(found)
    if into is not None:
        written(into, texts, sum(is_policy(d.obj) for d in found.documents), "--into")
    else:
        print("---\n".join(texts.values()), end="")
    at_hand = f"{many(shown.workloads, 'workload')} and " if shown.workloads else ""
    made_up = f"{many(shown.made_up, 'pod')} made up of the labels that the policies name"
    note(f"no connection changes among {at_hand}{made_up}, and with addresses outside")
    return 0


def _told(remarks: Iterable[Remark], places: Places) -> list[str]:
    """Each with its file, line and field."""
    lines = []
    for remark in remarks:
        place = places.of(remark.document.where, remark.subject, remark.field)
        file = remark.document.where.rpartition(":")[0]
        lines.append(f"{file}:{place.line}: {remark.subject}: {remark.field}: {remark.why}")
    return lines


def _refuse(shown: Rehearsal, target: str) -> None:
    """Raises BadInput, below the connections that would change."""
    effect = impact(shown.before, shown.after, list(shown.changes))
    for line in as_text(Difference(list(shown.changes), effect)):
        print(line, file=sys.stderr)
    raise BadInput(
        f"said with --to {target}, the policies would change {many(len(shown.changes), 'connection')}: nothing is written",
        hint="the lines above say which, and by which rules",
    )


def _texts(found: Translation) -> dict[str, str]:
    """By file: each policy where that stood which it is made of, but for one that is of a namespace now, or is not any more."""
    texts: dict[str, list[str]] = {}
    for document in found.kept:
        texts.setdefault(document.path, []).append(text_of(document.obj, {}))
    for made in found.made:
        texts.setdefault(_path(made), []).append(text_of(made.obj, made.comments))
    return {path: "---\n".join(each) for path, each in texts.items()}


def _path(made: Made) -> str:
    meta = made.obj["metadata"]
    if namespaced(made.obj) == namespaced(made.document.obj):
        return made.document.path
    return f"{place(made.obj)}/{meta['name']}.yaml"
