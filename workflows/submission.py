"""The small Workflow that the controller submits for one wave."""

from typing import Any

from hera.workflows import Parameter, Workflow
from hera.workflows import models as argo

from orchestrator.ports import Kind
from orchestrator.rollout.order.shards import readers, writers
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL, SOURCE_LABEL
from orchestrator.rollout.resources.resource import Rollout
from workflows.templates import LABELS, WAVE

WORKFLOW = Kind("argoproj.io/v1alpha1", "Workflow")
TEMPLATE = Kind("argoproj.io/v1alpha1", "WorkflowTemplate")
WAVE_LABEL = "netpol-canary.dev/wave"


def workflow(rollout: Rollout, wave: int, name: str) -> dict[str, Any]:
    """A wave's Workflow as a manifest, in the rollout's namespace; it goes when the rollout goes."""
    spec, meta = rollout.spec, rollout.manifest["metadata"]
    given = {
        "rollout": rollout.name,
        "wave": str(wave),
        "writers": str(writers(rollout, wave)),
        "readers": str(readers(rollout, wave)),
    }
    owner = argo.OwnerReference(
        api_version=m.API_VERSION,
        kind="PolicyRollout",
        name=rollout.name,
        uid=rollout.uid,
        block_owner_deletion=False,
    )
    made = Workflow(
        name=name,
        namespace=meta["namespace"],
        labels={
            **LABELS,
            SOURCE_LABEL: spec.source,
            ROLLOUT_LABEL: rollout.name,
            WAVE_LABEL: str(wave),
        },
        owner_references=[owner],
        workflow_template_ref=argo.WorkflowTemplateRef(name=WAVE),
        arguments=[Parameter(name=n, value=v) for n, v in given.items()],
        active_deadline_seconds=deadline(spec.strategy),
    )
    return dict(made.to_dict())


def deadline(strategy: m.Strategy) -> int:
    """Seconds after which a wave's workflow is ended, whatever it does: well after the rollout's own deadlines."""
    plan = strategy.analysis
    looks = max(plan.count * plan.interval_seconds, plan.limit_seconds)
    probes = plan.probing.seconds * 4
    return strategy.settle_seconds + looks + probes + 2 * strategy.progress_deadline_seconds
