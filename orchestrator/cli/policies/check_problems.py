"""What `check` found as findings with rules and places, for machines: connections by the rule that decides them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from orchestrator.cli.policies.check_summary import SAYS, Checked, says
from orchestrator.policy.files.doubles import title
from orchestrator.policy.files.touched_field import touched_of
from orchestrator.policy.impact.risk import LEVELS, Level
from orchestrator.policy.impact.weighing import Item
from orchestrator.policy.lint.findings import RULES, Finding, softened
from orchestrator.policy.lint.rules.rule import Rule, Severity
from orchestrator.policy.objects.port_sets import text as ports_text
from orchestrator.policy.workloads.citing import policy_of, same_before
from orchestrator.policy.workloads.fleet import Fleet

_SEVERITIES: dict[Level, Severity] = {"high": "error", "medium": "warning", "low": "info", "none": "info"}
_OPENING = ("internet", "opened", "widened")
_REASON = re.compile(r"(after|before), (\w+): (.*?)(?: \((.+?:\d+)(?:, .*)?\))?")
_REFUSES = "no rule allows it"
_TEXT = "Part of the change's risk: `strategy.risk` of the PolicySource says how high. An acceptance by name lowers it to low."
_ACCEPT = "where it is meant, accept it by name in .netpol-canary.yaml"
_OTHERS = {
    "intent": (
        "what must hold does not",
        "A PolicyTest beside the policies says what must and must not be reachable.",
        "correct the policy, or the PolicyTest",
    ),
    "recorded": (
        "a recorded connection would be cut",
        "It is among the flows that were given with --flows.",
        "allow it in a rule",
    ),
}
CHECKED: Mapping[str, Rule] = {
    **RULES,
    **{
        kind: Rule(kind, "warning", title, f"{title[0].upper()}{title[1:]}. {_TEXT}", _ACCEPT)
        for kind, title in SAYS.items()
    },
    **{name: Rule(name, "error", *words) for name, words in _OTHERS.items()},
    "unknown": Rule(
        "unknown",
        "warning",
        "workloads were not compared",
        "Labels or a policy cannot be read, or copies of a policy differ, so that nobody knows what becomes of their connections.",
        "correct what is named as not analysed",
    ),
}


def problems(found: Checked, before: Fleet, after: Fleet) -> list[Finding]:
    """The risk first, then intents, recorded connections, and what lint finds anew."""
    rules = _Rules(before, after)
    made = [_of_item(i, rules, also) for i, also in _once(found.items)]
    for r in found.intents:
        if r.problems:
            told = f"{r.field}: {'; '.join(r.problems[:5])}"
            intent = Finding(CHECKED["intent"], r.name, told, r.where)
            made.append(softened(intent, "warning") if r.unknown else intent)
    for cut in found.recorded.cut if found.recorded is not None else ():
        flow = cut.flow
        where, text = rules.place(cut.because)
        message = f"would be cut, seen {flow.count} times{text}"
        made.append(
            Finding(
                CHECKED["recorded"],
                f"{flow.src} to {flow.dst} on {flow.port}/{flow.protocol}",
                message,
                where,
            )
        )
    if found.moved.unknown:
        made.append(Finding(CHECKED["unknown"], "the change", found.uncompared))
    return [*made, *found.findings]


def _once(items: Sequence[Item]) -> Iterator[tuple[Item, Item | None]]:
    """Each item; what is newly open to the internet together with the connection that is opened or widened by that."""
    newly = {(i.src, i.dst, i.ports, i.accepted): i for i in items if i.kind == "internet"}
    moved = {
        key: i
        for i in items
        if i.kind in ("opened", "widened") and (key := (i.src, i.dst, i.ports, i.accepted)) in newly
    }
    for item in items:
        key = (item.src, item.dst, item.ports, item.accepted)
        if moved.get(key) is not item:
            yield item, moved.get(key) if newly.get(key) is item else None


def _of_item(item: Item, rules: _Rules, also: Item | None) -> Finding:
    where, text = rules.place(item.because, item.kind in _OPENING, item.kind != "internet")
    said = says(item)
    if item.kind == "narrowed":
        said = (
            f"a connection is narrowed: {ports_text(item.kept)} stays open, {ports_text(item.ports)} is lost"
        )
    level = max((i.level for i in (item, also) if i is not None), key=LEVELS.index)
    said = f"{said}, {SAYS[also.kind]}" if also is not None else said
    named = softened(Finding(CHECKED[item.kind], item.text, f"{said}{text}"), _SEVERITIES[level])
    place = where or rules.declared(item.dst) or rules.declared(item.src)
    return Finding(named.rule, named.subject, named.message, place, item.accepted)


class _Rules:
    """Where the rules stand that decide connections: after the change, else before it."""

    def __init__(self, before: Fleet, after: Fleet) -> None:
        self._sides = (("after", after), ("before", before))
        self._now = same_before(before, after)
        self._policies = [
            {title(p): p for p in after.policies},
            {self._named(title(p)): p for p in before.policies},
        ]
        self._stands = after.lines
        self._fields: dict[str, str] = {}

    def place(self, because: tuple[str, ...], opens: bool = False, deep: bool = True) -> tuple[str, str]:
        """`file:line` of the policy that decides, and words that name it and its field.

        A policy that the change touched comes first, at the field that it touched; what is opened is so by a rule, never
        because there is none. Not `deep` is the rule as a whole, in which the block of all addresses is looked for.
        """
        named = [
            (_REFUSES in rule and opens, not self._field(key), word == "before", key, where, cause)
            for word, cause, rule, where in _cited(because)
            if (key := self._key(word, policy_of(rule), where))
        ]
        if not named:
            return "", f": {because[0]}" if because else ""
        refuses, _, _, key, where, cause = min(named, key=lambda n: n[:3])
        here = self._stands.get(key, where)
        if refuses:  # what refused it is gone
            said = next((c for w, c, rule, _ in _cited(because) if w == "after" and _REFUSES not in rule), "")
            return here, f": {said}" if said else ""
        field = self._field(key)
        rule = cause.rpartition(" ")[2]
        if not deep:
            return here, f": {cause}"
        if field.startswith(rule):
            return here, f": {cause.removesuffix(rule)}{field}"
        return here, f": {cause}{f', {field} changed' if field else ''}"

    def _key(self, word: str, name: str, where: str) -> str:
        """The policy of a reason: of several of its name the one of its file in which the line is."""
        file, _, line = where.rpartition(":")
        copies = dict(self._sides)[word].copies.get(name, {})
        if len(copies) > 1:
            begun = [
                (int(first), key)
                for key, copy in copies.items()
                for begin, _, first in [copy.where.rpartition(":")]
                if line and begin == file and int(first) <= int(line)
            ]
            name = max(begun, key=lambda b: b[0], default=(0, name))[1]
        return self._named(name) if word == "before" and name else name

    def _named(self, name: str) -> str:
        """What stood before by the title that it has now."""
        return self._now.get(name, f"{name} before")

    def _field(self, key: str) -> str:
        """What the change touched of a policy; empty where it stands as it stood."""
        if key not in self._fields:
            self._fields[key] = self._touched(key)
        return self._fields[key]

    def _touched(self, key: str) -> str:
        after, before = (policies.get(key) for policies in self._policies)
        if after is None or before is None:
            return "" if after is before else "spec"
        found = touched_of(before, after)
        whole = found in ("", "spec", "specs")
        return found if whole or {".", "["} & set(found) else f"spec.{found}"

    def declared(self, workload: str) -> str:
        """Where the workload itself stands, or stood."""
        name = workload.partition(" (")[0]
        return next((f.lines[name] for _, f in self._sides if name in f.lines), "")


def _cited(because: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Of each reason: before or after; what decides without line and commit, which change from commit to commit; the rule; where it stands."""
    for text in because:
        if match := _REASON.fullmatch(text):
            yield match[1], f"{match[2]}: {match[3]}", match[3], match[4] or ""
