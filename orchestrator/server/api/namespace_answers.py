"""A namespace, as the API tells it."""

from typing import Literal

from pydantic import Field

from orchestrator.rollout.resources.model import NamespacePhase, RolloutPhase
from orchestrator.server.api.answers import Answer, Moment, fields_of
from orchestrator.server.api.rollout_answers import Changes
from orchestrator.server.pages.standing.namespace_view import NamespaceChange, NamespaceView


class Rule(Answer):
    """One rule of a NetworkPolicy in words."""

    direction: Literal["Ingress", "Egress"] = Field(
        description="`Ingress`: who may connect to the pods; `Egress`: to whom they may."
    )
    pods: str
    peers: list[str] = Field(description="The other ends; `nobody` where the policy lets none in or out.")
    ports: str


class NamespacePolicyAnswer(Answer):
    """A policy that stands in the namespace."""

    kind: str
    name: str
    source: str = Field(description="Whose it is; empty where it is no source's.")
    managers: str = Field(description="Who else manages it, in words; empty for a source's.")
    rollout: str = Field(
        description="The rollout that brought it as it is, among those in `changes`; empty for none."
    )
    rules: list[Rule] = Field(description="Empty for other kinds than NetworkPolicy.")


class NamespaceChangeAnswer(Answer):
    """What one rollout did there."""

    rollout: str
    source: str
    phase: RolloutPhase
    began: Moment
    applied_at: Moment
    authors: list[str]
    subject: str = Field(description="The first line of the commit's message.")
    here: NamespacePhase = Field(description="What became of it in this namespace.")
    changes: Changes


class NamespaceAnswer(Answer):
    """A namespace: which policies stand there, whose, since which rollout, and what changed lately."""

    name: str
    exists: bool | None = Field(description="null where you may not know.")
    hidden: str = Field(description="Why not all of its policies are shown; empty where they are.")
    policies: list[NamespacePolicyAnswer]
    more_policies: int = Field(description="How many there are beyond these.")
    sources: list[str] = Field(description="The sources whose revision is in force there.")
    changes: list[NamespaceChangeAnswer] = Field(description="The newest first.")
    more_changes: int = Field(description="How many there are beyond these; `/api/v1/rollouts` has them.")


def namespace_answer(view: NamespaceView) -> NamespaceAnswer:
    """All of it."""
    changes = [_change(change) for change in view.changes]
    return NamespaceAnswer.model_validate({**fields_of(NamespaceAnswer, view), "changes": changes})


def _change(change: NamespaceChange) -> NamespaceChangeAnswer:
    counts = Changes.counted(change.count)
    return NamespaceChangeAnswer.model_validate(
        {**fields_of(NamespaceChangeAnswer, change), "changes": counts}
    )
