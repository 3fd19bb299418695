"""A namespace, as the API tells it."""

from typing import Literal

from pydantic import Field

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.rule_words import RuleWords
from orchestrator.rollout.resources.model import NamespacePhase, RolloutPhase
from orchestrator.server.api.answers import Answer, Moment
from orchestrator.server.api.rollout_answers import Changes
from orchestrator.server.pages.standing.namespace_view import (
    NamespaceChange,
    NamespacePolicy,
    NamespaceView,
)


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
    return NamespaceAnswer(
        name=view.name,
        exists=view.exists,
        hidden=view.hidden,
        policies=[_policy(policy) for policy in view.policies],
        more_policies=view.more_policies,
        sources=list(view.sources),
        changes=[_change(change) for change in view.changes],
        more_changes=view.more_changes,
    )


def _policy(policy: NamespacePolicy) -> NamespacePolicyAnswer:
    return NamespacePolicyAnswer(
        kind=policy.kind,
        name=policy.name,
        source=policy.source,
        managers=policy.managers,
        rollout=policy.rollout,
        rules=[_rule(rule) for rule in policy.rules],
    )


def _rule(rule: RuleWords) -> Rule:
    return Rule(
        direction="Ingress" if rule.direction is Direction.INGRESS else "Egress",
        pods=rule.pods,
        peers=list(rule.peers),
        ports=rule.ports,
    )


def _change(change: NamespaceChange) -> NamespaceChangeAnswer:
    counts = Changes(
        create=change.count("create"), update=change.count("update"), delete=change.count("delete")
    )
    return NamespaceChangeAnswer(
        rollout=change.rollout,
        source=change.source,
        phase=change.phase,
        began=change.began,
        applied_at=change.applied_at,
        authors=list(change.authors),
        subject=change.subject,
        here=change.here,
        changes=counts,
    )
