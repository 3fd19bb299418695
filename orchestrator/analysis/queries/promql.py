"""Counters as PromQL by namespace: over a window for thresholds, raw for sequential tests."""

from dataclasses import dataclass
from typing import Literal

Test = Literal["threshold", "sequential"]


@dataclass(frozen=True)
class Renamed:
    """A label of the answer that the series carry under another name."""

    label: str
    source: str
    pattern: str = "(.+)"


@dataclass(frozen=True)
class Branch:
    """Series that name namespace and pod in the same way.

    A series that several selectors match counts once: PromQL's `or` keeps one of each label set.
    """

    selectors: tuple[str, ...]
    renamed: tuple[Renamed, ...] = ()

    def promql(self, test: Test, labels: tuple[str, ...]) -> str:
        """Summed by the labels that the series have, then given the labels that are wanted."""
        window = test == "threshold"
        text = " or ".join(f"increase({s}[$window])" if window else s for s in self.selectors)
        renamed = {r.label: r for r in self.renamed if r.label in labels}
        # What the scrape put under a label that is overwritten must be summed away first, or series clash.
        inner = ", ".join(renamed[n].source if n in renamed else n for n in labels)
        text = f"sum by ({inner}) ({text})"
        for item in renamed.values():
            text = f'label_replace({text}, "{item.label}", "$1", "{item.source}", "{item.pattern}")'
        return text


@dataclass(frozen=True)
class Counters:
    """Branches, united."""

    branches: tuple[Branch, ...]

    def promql(self, test: Test) -> str:
        """`sum by (namespace)` of the increase over $window, or `sum by (namespace, pod)` of the counters."""
        labels = ("namespace",) if test == "threshold" else ("namespace", "pod")
        texts = [branch.promql(test, labels) for branch in self.branches]
        if len(texts) == 1 and not self.branches[0].renamed:
            return texts[0]
        return f"sum by ({', '.join(labels)}) ({' or '.join(texts)})"


def counters(*selectors: str, renamed: tuple[Renamed, ...] = ()) -> Counters:
    """Of one branch."""
    return Counters((Branch(selectors, renamed),))


def selector(metric: str, *matchers: str) -> str:
    """`metric{matchers}`."""
    return f"{metric}{{{','.join(matchers)}}}"
