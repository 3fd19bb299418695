"""What an order may leave out of its questions: pairs of pods that no end allows, and addresses that nothing tells apart."""

from itertools import product

from orchestrator.policy.evaluate.pair_index import candidates
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import Pod, one_pod


def left_out(net, pods):
    """The pairs that are allowed on some port, and that nobody would ask about."""
    asked = set(candidates([net.most(pods)], len(pods)))
    return [
        (src.name, dst.name)
        for (one, src), (other, dst) in product(enumerate(pods), enumerate(pods))
        if (one, other) not in asked and not one_pod(src, dst) and net.over_ports(src, dst, port_sets.ANY)
    ]


def told_apart(net, pods, addresses, nodes=()):
    """Addresses of which policies say different things to a pod, or to pods that are alike, though nothing that bears on them tells them apart."""
    found, by_kind = [], {}
    for pod, side in product(pods, Direction):
        answers = {}
        bearing = list(net.order.networks_of(pod, side))
        alone = pod.host_network or pod.other_ips or pod.other_node_ips
        alike = pod if alone else net.order.told_alike(pod, side)
        about = (side, *map(id, bearing), alike, pod.ports, pod.node_ip, ":" in pod.ip)
        for address in addresses:
            ends: tuple[Pod | str, Pod | str] = (pod, address)
            kind = (":" in address, address if address in nodes else "", *(n.hold(address) for n in bearing))
            mask = net.over_ports(*side.ends(*ends), port_sets.ANY)
            if answers.setdefault(kind, mask) != mask or by_kind.setdefault((about, address), mask) != mask:
                found.append((pod.name, side, address))
    return found
