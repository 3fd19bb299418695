"""All pods at once, as Calico's rules see them: bits (see pod_index.py) by labels and addresses."""

from collections.abc import Callable, Mapping, Sequence

from orchestrator.policy.evaluate.calico.calico_world import Known, Labels, World
from orchestrator.policy.evaluate.pod_index import PodIndex
from orchestrator.policy.objects.label_index import LabelIndex
from orchestrator.policy.objects.pod import Pod


class Crowd:
    """Of those that run in a node's network no label counts; `everyone` are the others.

    Of pods `in_sets` there is more than their own labels: they have addresses in NetworkSets or GlobalNetworkSets.
    """

    def __init__(self, pods: Sequence[Pod], namespaces: Mapping[str, Labels], world: World) -> None:
        self.world = world
        self.pods = PodIndex(pods, namespaces)
        self.everyone = self.pods.everyone & ~self.pods.hosts
        known = [(1 << n, world.place(pod).known[0]) for n, pod in enumerate(pods) if not pod.host_network]

        def indexed(labels: Callable[[Known], Labels]) -> LabelIndex:
            return LabelIndex(((bit, labels(one)) for bit, one in known), self.everyone)

        self.labels = indexed(lambda one: one.labels)
        self.spaces = indexed(lambda one: one.of_space)
        self.accounts = indexed(lambda one: one.of_account)
        self.in_sets = 0
        for _, networks in world.sets:
            self.in_sets |= self.pods.covered(networks)
