"""`why`: whether a connection is allowed, and which rules decide it; said once for addresses outside that are answered alike."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from orchestrator.cli.policies.fleets import say_idle
from orchestrator.cli.policies.reach import port_of
from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.cni_profiles import OF_NODES, covers_nodes, profile
from orchestrator.policy.evaluate.evaluator import Decision, Network
from orchestrator.policy.network.outside import OUTSIDE, meant, said_once, sample
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.network.resolving import cache_addresses
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.workloads.citing import located
from orchestrator.policy.workloads.fleet import Fleet, Workload

WORDS = {True: "yes", False: "no", None: "depends on the CNI"}
CODES = {True: 0, False: 1, None: 3}


def why(found: Fleet, src: str, dst: str, port: str, cni: str) -> int:
    """Print yes, no or "depends on the CNI", and what decides it at both ends; exit code 0, 1 or 3."""
    asked = port_of(port)
    if src in OUTSIDE and dst in OUTSIDE:
        raise BadInput("both ends are outside", "--to", "name a workload: policies say nothing of others")
    say_idle(found)
    caches = cache_addresses(found)
    first = {workload.pod: address for address, workload in reversed(caches.items())}
    answers = []
    for one in _ends(found, src):
        for other in _ends(found, dst):
            # NodeLocal DNSCache on the host's network by its first address: that alone is what policies see of it.
            seen = first.get(other, other) if isinstance(other, Pod) else other
            decision = _doubted(
                found, partial(_decided, src=one, dst=seen, asked=asked, cni=cni, caches=caches)
            )
            place = caches.get(seen) if isinstance(seen, str) else None
            at = f"{place.pod.namespace}/{place.pod.name} at " if place else ""
            answers.append((one, seen, (at, decision.allowed, tuple(_lines(found, decision, cni)))))
    for one_, other_, (at, allowed, lines) in said_once(answers):
        print(f"{one_} to {at}{other_} on {asked[1]}/{asked[0]}: {WORDS[allowed]}")
        print("\n".join(lines))
    return max(CODES[allowed] for _, _, (_, allowed, _) in answers)


def _ends(found: Fleet, text: str) -> list[End]:
    try:
        return [str(ipaddress.ip_address(text))]
    except ValueError:
        if text in OUTSIDE and not any(w.pod.name == text for w in found.workloads):
            return [sample(span) for span in meant(text, ranges(found))]
        return [w.pod for w in found.find(text)]


def _decided(
    net: Network, src: End, dst: End, asked: tuple[str, int], cni: str, caches: Mapping[str, Workload]
) -> Decision:
    decision = net.decide(src, dst, *asked)
    if dst in caches and decision.allowed and covers_nodes(cni) is None:
        return decision if net.decide(src, "", *asked).allowed else Decision(None, (OF_NODES,), decision.why)
    return decision


def _doubted(found: Fleet, decide: Callable[[Network], Decision]) -> Decision:
    """What is decided, and on what it depends where it is not sure that the CNI enforces some of the policies."""
    settled = profile(found.cni)
    decision = decide(found.network(settled))
    open_: dict[str, None] = {}
    for doubts, without in found.doubted:
        if not {*doubts} & {*open_}:
            differs = decide(without.network(settled)).allowed is not decision.allowed
            open_ |= dict.fromkeys(doubts if differs else ())
    return Decision(None, (*decision.depends, *open_), decision.why) if open_ else decision


def _lines(found: Fleet, decision: Decision, cni: str) -> Iterator[str]:
    for side in decision.why:
        yield f"  {side.side} {'lets it pass' if side.allowed else 'keeps it out'}:"
        for rule, field in side.cited:
            yield f"    {located(found, rule, field=field)}"
    for question in decision.depends:
        yield f"  it depends on {question}{'' if cni != 'generic' else '; name the CNI with --cni'}"
