"""Tiers of Calico that deny what none of their policies decides, DNS among it."""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.policy.evaluate.calico.calico_crowd import Crowd
from orchestrator.policy.evaluate.calico.calico_order import CalicoOrder, Selecting
from orchestrator.policy.evaluate.calico.calico_rules import CalicoRule
from orchestrator.policy.evaluate.calico.calico_world import Known
from orchestrator.policy.evaluate.cni_profiles import Reading, readings
from orchestrator.policy.evaluate.order import Ends
from orchestrator.policy.evaluate.ruling import decided
from orchestrator.policy.files.doubles import title
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.assumed_resolvers import RESOLVERS
from orchestrator.policy.network.dns import SYSTEM, opens, ports_of, resolvers
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS
from orchestrator.policy.objects.pod import Pod, families
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import many

_READING = Reading()
_DNS = port_sets.span("UDP", 53, 53)


def denied(fleet: Fleet) -> Iterator[Finding]:
    """One finding a policy by which such a tier selects pods; of NetworkPolicies alone what is said of those."""
    order = fleet.network().order
    if not isinstance(order, CalicoOrder) or SYSTEM in fleet.obscured.unlabelled:
        return
    known = [w.pod for w in resolvers(fleet)]
    if any(pod.host_network for pod in known):
        return  # the cache on a node may answer
    pods = [w.pod for w in fleet.workloads]
    hosts = [known for pod in pods if pod.host_network for known in order.world.place(pod).known]
    beside = [*hosts, *(known for known, _ in order.world.sets)]
    crowd = Crowd(pods, fleet.namespaces, order.world)
    told: dict[str, tuple[Mapping[str, object], str, list[str]]] = {}
    for workload in fleet.workloads:
        pod = workload.pod
        others = [other for other in known if other is not pod]
        if pod.host_network or bool(others) != bool(known):
            continue
        found = _refusing(order, pod, others) if known else _silent(fleet, order, pod, crowd, beside)
        if found is not None:
            own = [e.obj for e in found.by_name if e.policy]
            policy = (own or [e.obj for e in found.by_name])[0]
            name = found.tier.name if own else ""
            told.setdefault(f"{title(policy)} {name}", (policy, name, []))[2].append(workload.name)
    for policy, name, workloads in told.values():
        more = f" and {many(len(workloads) - 1, 'more workload')}" if len(workloads) > 1 else ""
        if name:
            text = f"the tier {name} selects {workloads[0]}{more} for egress, and its policies let nobody there ask DNS"
            yield of_policy(fleet, "NPC034", policy, text)
            continue
        for one in workloads:
            yield of_policy(fleet, "NPC005", policy, f"{one} cannot reach any DNS server")


def _refusing(order: CalicoOrder, pod: Pod, known: Sequence[Pod]) -> Selecting | None:
    """The tier that denies, by what it does with the rest, where no resolver may be asked under any reading."""
    found = None
    for other, port in ((one, port) for one in known for port in ports_of(one)):
        asked = port_sets.span("UDP", port, port)
        for ends in families(pod, other):
            for reading in readings({}, order.questions(*ends)):
                seen = order.seen(*ends, reading)
                if decided(order.tiers(EGRESS, seen, reading), asked)[0]:
                    return None
                found = found or _left_by(order, pod, seen, reading, asked)
    return found


def _left_by(order: CalicoOrder, pod: Pod, seen: Ends, reading: Reading, asked: int) -> Selecting | None:
    """The tier that denies it as the rest, not by a rule."""
    for selecting in order.selecting(pod, EGRESS):
        rulings = list(order.rulings(selecting, EGRESS, seen, reading))
        _, met = decided([rulings], asked)
        if met and met[-1].action != "Pass":
            return selecting if selecting.by_name and met[-1] is rulings[-1] else None
    return None


def _silent(
    fleet: Fleet, order: CalicoOrder, pod: Pod, crowd: Crowd, beside: Sequence[Known]
) -> Selecting | None:
    """Where no resolver is known: the tier that denies the rest, if no rule of it or before it may mean one."""
    for selecting in order.selecting(pod, EGRESS):
        if selecting.tier.cluster or not selecting.by_name:
            return None
        rules = [r for e in selecting.by_name if e.policy for r in e.policy.rules[EGRESS]]
        meaning = {rule.action for rule in rules if _may_mean(rule, crowd, beside)}
        others = [e.obj for e in selecting.by_name if not e.policy]
        if "Allow" in meaning or any(opens(fleet, p, rule) for p in others for rule in EGRESS.rules(p)):
            return None
        if "Pass" not in meaning and not selecting.tier.passes:
            return selecting
    return None


def _may_mean(rule: CalicoRule, crowd: Crowd, beside: Sequence[Known]) -> bool:
    """Whether a rule may mean port 53 over UDP at something that may be a resolver; of pods and what else is known none is."""
    entity = rule.destination
    if not rule.may_name(_DNS):
        return False
    if entity.alone or entity.body.get("nets"):
        return True
    if any(entity.selects(known, _READING) for known in RESOLVERS):
        return True
    return not entity.chosen(crowd) and not any(entity.selects(known, _READING) for known in beside)
