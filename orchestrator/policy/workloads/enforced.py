"""Which policies a CNI does not enforce, and why: they count for nothing in any answer, and are named."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_agent import WATCHED, CiliumAgent
from orchestrator.policy.evaluate.cni_profiles import GENERIC, PROFILES, Kind, Profile
from orchestrator.policy.schemas.policy_kinds import CILIUM, group_of
from orchestrator.wording import few

Policy = dict[str, Any]
MOST_NAMED = 3
BESIDE = "Cilium, whose policies stand beside, does not enforce it"


class Enforcement:
    """What a CNI makes of some policies; where it is not known, and one of them is Cilium's, that is it."""

    def __init__(self, cni: str, further: Sequence[Policy], agent: CiliumAgent) -> None:
        """`agent` is Cilium's, as far as the objects tell of it."""
        self._cni: Profile = PROFILES.get(cni, PROFILES[GENERIC])
        self._whose = f"{self._cni.said} does not enforce it"
        if self._cni.enforces is None and any(_group(p) == CILIUM for p in further):
            self._cni, self._whose = PROFILES["cilium"], BESIDE
        self._agent = agent

    def unenforced(self, policies: Iterable[Policy]) -> list[tuple[Policy, str]]:
        """Those that it does not enforce, and why not."""
        return [(policy, why) for policy in policies if (why := self._why_not(policy))]

    def _why_not(self, policy: Policy) -> str:
        kind, most = str(policy["kind"]), self._cni.most_priority
        known = self._cni.enforces
        if (
            known is not None
            and _group(policy) != "networking.k8s.io"
            and (_group(policy), kind) not in known
        ):
            return self._whose
        if self._cni.answers.get("cilium") and kind in self._agent.unwatched:
            return f"Cilium's agent does not enforce it unless its options say so ({WATCHED[kind][0]})"
        if most is not None and kind == "AdminNetworkPolicy" and policy["spec"]["priority"] > most:
            return f"{self._cni.said} enforces none with a priority above {most}"
        return ""

    def doubts(self, policies: Sequence[Policy]) -> dict[str, list[Kind]]:
        """On what it depends whether it enforces some kinds of those that count, and which."""
        standing = {(_group(p), str(p["kind"])) for p in policies}
        settled = self._agent.said if self._cni.answers.get("cilium") else ()
        found: dict[str, list[Kind]] = {}
        for kind, depends in (self._cni.enforces or {}).items():
            if depends and kind in standing and kind[1] not in settled:
                found.setdefault(depends, []).append(kind)
        return found

    def whether(self, kinds: Sequence[Kind]) -> str:
        """`whether Antrea enforces AdminNetworkPolicies`."""
        return f"whether {self._cni.said} enforces {' and '.join(kind.removesuffix('y') + 'ies' for _, kind in kinds)}"

    def unsure(self, policies: Sequence[Policy]) -> Iterator[str]:
        """What is to be said of those that count though it is not sure that they are enforced."""
        for depends, kinds in self.doubts(policies).items():
            yield f"{self.whether(kinds)}, as is assumed here, depends on {depends}"
        if not self._cni.answers.get("cilium"):
            return
        if self._agent.labels:
            yield f"which labels of pods selectors see: Cilium's agent has a choice of its own (labels: {self._agent.labels}), the usual one is assumed"
        if self._agent.enforcement == "never":
            yield "any connection that policies deny: Cilium's agent enforces none, by its option enable-policy or policy-audit-mode"


def may_enforce(cni: str, kind: Kind) -> bool:
    """Whether a CNI enforces policies of a kind, or may."""
    known = PROFILES.get(cni, PROFILES[GENERIC]).enforces
    return known is None or kind in known


def named(found: Iterable[tuple[Policy, str]]) -> list[str]:
    """What is to be said of policies that are not enforced: how many of each kind, why, and some by name."""
    said: dict[str, list[str]] = {}
    for policy, why in found:
        kind = f"{policy['kind']} ({policy['apiVersion']}): {why}"
        said.setdefault(kind, []).append(own_name(policy))
    return [f"{len(names)} {kind}: {few(names, MOST_NAMED)}" for kind, names in sorted(said.items())]


def own_name(obj: Mapping[str, Any]) -> str:
    """`namespace/name`, or the name alone."""
    space = obj["metadata"].get("namespace")
    return f"{space}/{obj['metadata']['name']}" if space else str(obj["metadata"]["name"])


def _group(policy: Mapping[str, Any]) -> str:
    return group_of(str(policy["apiVersion"]))
