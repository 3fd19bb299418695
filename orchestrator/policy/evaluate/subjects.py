"""Which pods a policy is about, whatever its kind and whatever else stands beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate import tiers
from orchestrator.policy.evaluate.calico.calico_policies import CalicoPolicy, of_pods
from orchestrator.policy.evaluate.calico.calico_world import World
from orchestrator.policy.evaluate.cilium.cilium_agent import agent_among
from orchestrator.policy.evaluate.cilium.cilium_identities import Identities
from orchestrator.policy.evaluate.cilium.cilium_policies import specs_of
from orchestrator.policy.evaluate.cilium.cilium_selectors import subject
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import matches
from orchestrator.policy.schemas.policy_kinds import CALICO, CILIUM, TIERED, group_of

Part = Mapping[str, Any]


class Subjects:
    """Over the namespaces, and what else gives pods labels: `further`, such as service accounts and the options of agents."""

    def __init__(self, namespaces: Mapping[str, Mapping[str, str]], further: Sequence[Part] = ()) -> None:
        self._namespaces = namespaces
        self._world = World(namespaces, further)
        self._identities = Identities(namespaces, None, agent_among(further))

    def select(self, policies: Iterable[Part], pod: Pod) -> bool:
        """Whether any of some valid policies is about a pod."""
        return not pod.host_network and any(self._selects(policy, pod) for policy in policies)

    def _selects(self, policy: Part, pod: Pod) -> bool:
        group, spec = group_of(str(policy["apiVersion"])), policy.get("spec") or {}
        own = policy["metadata"].get("namespace") or ""
        if group == TIERED:
            return tiers.selects(spec["subject"], pod, self._namespaces)
        if group == CILIUM:
            identity = self._identities.of_pod(pod)
            given = (
                s["endpointSelector"] for _, s in specs_of(policy) if s.get("endpointSelector") is not None
            )
            return any(subject(selector, own).holds(identity) for selector in given)
        if group == CALICO:
            known = self._world.place(pod).known[0]
            return of_pods(policy) and CalicoPolicy(policy, self._world).selects(known)
        return pod.namespace == own and matches(spec.get("podSelector") or {}, pod.labels)
