"""Scopes that Cilium cannot see: by labels that are no part of what it knows pods by."""

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.cilium.cilium_identities import kept
from orchestrator.policy.narrow.scoped_pods import Scope
from orchestrator.policy.objects.selector import requirements
from orchestrator.wording import few

_MOST_TOLD = 3


def unseen(scope: Scope, agent: CiliumAgent) -> str:
    """Why policies narrowed to a scope would not tell its pods from others under Cilium, of whatever kind; empty where they do."""
    keys = sorted({key for key, *_ in requirements(scope.selector)})
    if keys and agent.labels:
        return f"Cilium has a choice of labels of its own that it knows pods by ({agent.labels}): whether {few(keys, _MOST_TOLD)} count is not known"
    left_out = [key for key in keys if not kept(key)]
    if not left_out:
        return ""
    return f"Cilium leaves {few(left_out, _MOST_TOLD)} out of the labels that it knows pods by: to it the pods of the scope are like all others"
