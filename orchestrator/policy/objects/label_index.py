"""Which of many things have a label, as bits: bit n stands for the n-th thing."""

from collections.abc import Iterable, Mapping

from orchestrator.policy.objects.selector import Requirement


class LabelIndex:
    """Which pods have labels, their own or those of something that they belong to."""

    def __init__(self, labelled: Iterable[tuple[int, Mapping[str, str]]], everyone: int) -> None:
        """Pods as bits, with the labels that they share; `everyone` are all pods, those without labels among them."""
        self.everyone = everyone
        self._values: dict[str, dict[str, int]] = {}
        for pods, labels in labelled:
            for key, value in labels.items():
                known = self._values.setdefault(key, {})
                known[value] = known.get(value, 0) | pods
        self._having: dict[str, int] = {}

    def values(self, key: str) -> Mapping[str, int]:
        """The pods by their value of a label."""
        return self._values.get(key, {})

    def having(self, key: str) -> int:
        """Those that have a label."""
        if key not in self._having:
            found = 0
            for pods in self.values(key).values():
                found |= pods
            self._having[key] = found
        return self._having[key]

    def among(self, key: str, values: Iterable[str]) -> int:
        """Those that have one of some values of a label."""
        known, found = self.values(key), 0
        for value in values:
            found |= known.get(value, 0)
        return found

    def satisfying(self, wanted: Iterable[Requirement]) -> int:
        """Those that fulfil each requirement of a selector."""
        found = self.everyone
        for key, operator, values in wanted:
            one = self.among(key, values) if operator in ("In", "NotIn") else self.having(key)
            found &= one if operator in ("In", "Exists") else ~one
        return found
