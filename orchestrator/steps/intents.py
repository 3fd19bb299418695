"""A change that fails the PolicyTests beside its policies is refused before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.adapters.live import documents
from orchestrator.errors import Refused
from orchestrator.policy.fleet import fleet
from orchestrator.policy.intents import Result, run, tests_of
from orchestrator.policy.manifest import Document, parse
from orchestrator.rollout import objects
from orchestrator.rollout.layout import ENDINGS
from orchestrator.rollout.plan import Plan
from orchestrator.steps.context import POLICY, Context

MOST_SHOWN = 3


def refuse_failing(ctx: Context, plan: Plan, files: Mapping[str, bytes]) -> None:
    """Raises Refused with the intents that the pods and policies of the cluster would not meet afterwards."""
    tests = tests_of(d for path in sorted(files) if path.endswith(ENDINGS) for d in parse(files[path], path))
    if not tests or plan.empty:
        return
    results = run(fleet(_afterwards(ctx, plan)), tests, {})
    failed = [f"{r.name}: {problem}" for r in results for problem in _problems(r)]
    if failed:
        more = f"; and {len(failed) - MOST_SHOWN} more" if len(failed) > MOST_SHOWN else ""
        raise Refused(f"the change fails its own intents: {'; '.join(failed[:MOST_SHOWN])}{more}")


def _problems(result: Result) -> list[str]:
    """An intent about workloads that do not run now says nothing."""
    return [p for p in result.problems if "selects no workload" not in p]


def _afterwards(ctx: Context, plan: Plan) -> Iterator[Document]:
    """The cluster's namespaces and running pods, and its policies as they stand after the change."""
    changed = {
        (name, objects.key(obj)): change
        for name, item in plan.namespaces.items()
        for change in item.changes
        for obj in (change.before, change.after)
        if obj is not None
    }
    for document in documents(ctx.cluster):
        obj = document.obj
        if (obj["metadata"].get("namespace"), objects.key(obj)) not in changed:
            yield document
    for change in {id(c): c for c in changed.values()}.values():
        if change.after is not None and change.after["kind"] == POLICY.kind:
            path, _, line = change.file.rpartition(":")
            yield Document(change.after, path or "the repository", int(line) if line.isdigit() else 1)
