"""Which order of policies holds: that of the CNI whose own policies stand in a fleet, else that of Kubernetes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from orchestrator.policy.evaluate.calico.calico_order import CalicoOrder
from orchestrator.policy.evaluate.calico.calico_world import GROUP as CALICO
from orchestrator.policy.evaluate.cilium.cilium_order import CiliumOrder
from orchestrator.policy.evaluate.kubernetes_order import KubernetesOrder
from orchestrator.policy.evaluate.order import Order

Part = Mapping[str, Any]
Labels = Mapping[str, Mapping[str, str]]


class Made(Protocol):
    """How the order of an API group is made; `further` are objects of every other kind, its own policies among them."""

    def __call__(
        self,
        namespaces: Labels,
        policies: Sequence[Part],
        cluster: Sequence[Part],
        nodes: Labels | None,
        further: Sequence[Part],
    ) -> Order: ...


# By API group; the first one that has a policy among the objects holds.
_OF_GROUP: Mapping[str, Made] = {"cilium.io": CiliumOrder, CALICO: CalicoOrder}


def order_of(
    namespaces: Labels,
    policies: Sequence[Part],
    cluster: Sequence[Part],
    nodes: Labels | None,
    further: Sequence[Part],
    group: str = "",
) -> Order:
    """The order in which one CNI asks all of these: that of a group, else of the one whose own policies are among them."""
    made = _OF_GROUP.get(group or group_among(further))
    if made is not None:
        return made(namespaces, policies, cluster, nodes, further)
    return KubernetesOrder(namespaces, policies, cluster, nodes)


def group_among(objects: Iterable[Part]) -> str:
    """The API group of the CNI that has a policy among some objects; empty where none has."""
    groups = {str(o["apiVersion"]).partition("/")[0] for o in objects if str(o["kind"]).endswith("Policy")}
    return next((group for group in _OF_GROUP if group in groups), "")
