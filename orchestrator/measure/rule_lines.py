"""Where a rule stands that decides a connection of a wave: as the plan found it in Git, which a wave does not read again."""

import re

from orchestrator.context import POLICY
from orchestrator.policy.files.touched_field import rule_of, touched_field
from orchestrator.policy.workloads.citing import policy_of
from orchestrator.rollout.next import State
from orchestrator.rollout.order.write_turns import ends

_REASON = re.compile(r"(after, \w+: (.*?)) \((.+?):(\d+)((?:, .*)?)\)")


class Lines:
    """Of the rules that the rollout's connections name, and of the field that a change of a policy names."""

    def __init__(self, state: State, wave: int) -> None:
        self._places: dict[str, str] = {}
        for text in (b for edge in state.rollout.spec.edges for b in edge.because):
            if found := _REASON.fullmatch(text):
                self._places.setdefault(found[1], f"{found[3]}:{found[4]}")
        self._touched: dict[str, str] = {}
        for item in state.in_wave(wave):
            before, after = ends(item)
            for key in (k for k in before.keys() & after.keys() if POLICY.means(after[k])):
                field = touched_field(before[key]["spec"], after[key]["spec"])
                name = f"{POLICY.kind} {item.spec.namespace}/{after[key]['metadata']['name']}"
                self._touched[name] = rule_of(field)

    def named(self, text: str) -> str:
        """A reason with its rule's own line, and the commit that it has; with its file alone where that line is another rule's."""
        found = _REASON.fullmatch(text)
        if found is None:
            return text
        said, rule, file, _, commit = found.groups()
        if place := self._places.get(said):
            return f"{said} ({place}{commit})"
        policy = policy_of(rule)
        touched = self._touched.get(policy, "")
        own = rule_of(rule.removeprefix(policy).strip())
        return f"{said} ({file}{commit})" if touched and own and own != touched else text
