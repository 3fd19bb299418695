"""All pods at once, as Cilium's rules see them: bits (see pod_index.py) by the labels of identities, and by addresses."""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.policy.evaluate.cilium.cilium_agent import OVER_SELECTION, CiliumAgent
from orchestrator.policy.evaluate.cilium.cilium_identities import Identities, Labels, identified
from orchestrator.policy.evaluate.cilium.cilium_selectors import Endpoints
from orchestrator.policy.evaluate.pod_index import PodIndex
from orchestrator.policy.evaluate.tiers import Span
from orchestrator.policy.objects.label_index import LabelIndex
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import Pod


class Crowd:
    """Of those that run in a node's network no label counts; `everyone` are the others."""

    def __init__(
        self, pods: Sequence[Pod], namespaces: Labels, identities: Identities, agent: CiliumAgent
    ) -> None:
        self.pods = PodIndex(
            [replace(p, labels={}) if p.host_network else identified(p) for p in pods], namespaces
        )
        self.everyone = self.pods.everyone & ~self.pods.hosts
        self.labels = LabelIndex(
            ((1 << n, identities.labels_of(p)) for n, p in enumerate(pods) if not p.host_network),
            self.everyone,
        )
        self.over = OVER_SELECTION in agent.bugs
        self._covers = "pods" in agent.blocks_match

    def selected(self, endpoints: Endpoints) -> Span:
        """Those that a selector means."""
        if self.over and endpoints.negated:
            return Span(self.everyone, self.everyone)
        found = endpoints.among(self.labels)
        return Span(found, found)

    def covered(self, networks: Networks) -> Span:
        """Those that blocks match: none, unless the agent is told so."""
        found = self.pods.covered(networks) & self.everyone if self._covers else 0
        return Span(found, found & ~self.pods.several)
