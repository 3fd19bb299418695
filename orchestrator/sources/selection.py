"""The namespaces that a source may write to, as they stand now; a selection that means nothing is refused."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from orchestrator.context import NAMESPACE, Context
from orchestrator.elapsed import Reading, reading, since
from orchestrator.errors import BadInput
from orchestrator.policy.files.nearest import likely
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.resource import Source

MOST_SELECTED = 10_000
MOST_NAMED = 5
MOST_OLD = 5.0  # seconds


@dataclass(frozen=True)
class Selection:
    """Both by name; `others` are the cluster's other ones, those that are being deleted among them."""

    namespaces: dict[str, Manifest]
    others: dict[str, Manifest]

    def check(self, source: Source, left: Collection[str] = ()) -> None:
        """Raises BadInput where the source selects nothing, or names what does not exist.

        Of names in `left`, namespaces that were there once, nothing is said here.
        """
        scope, where = source.spec.namespaces, f"PolicySource {source.name}, spec.namespaces"
        missing = [n for n in dict.fromkeys(scope.names) if n not in self.namespaces and n not in left]
        if missing:
            named = ", ".join(missing[:MOST_NAMED]) + (", and more" if len(missing) > MOST_NAMED else "")
            verb = "does not exist" if len(missing) == 1 else "do not exist"
            there = {*self.namespaces, *self.others}
            meant = "" if missing[0] in there else likely(missing[0], there - set(scope.names))
            hint = f"did you mean {meant}?" if meant else "create it, or take the name out"
            raise BadInput(f"{named} {verb}, or {_goes(missing)} being deleted", where, hint)
        if not self.namespaces:
            if not (scope.names or scope.match_labels):
                raise BadInput("the source selects no namespace", where, "give names or matchLabels")
            labels = ", ".join(f"{label.key}={label.value}" for label in scope.match_labels)
            hint = "label one; system namespaces are taken by name only"
            raise BadInput(
                f"the source selects no namespace: none has {labels or 'such a name'}", where, hint
            )
        if len(self.namespaces) > MOST_SELECTED:
            text = f"the source selects {len(self.namespaces)} namespaces, more than {MOST_SELECTED}"
            raise BadInput(text, where, "split it into several sources")


def _goes(missing: Collection[str]) -> str:
    return "is" if len(missing) == 1 else "are"


@dataclass
class Listed:
    """The cluster's namespaces, for looks at many sources: listed once for all of them, and anew after MOST_OLD seconds.

    What is written goes by `selection` as it then stands. Those who ask at the same moment may each list them: nobody waits for
    what another one asks of the API server.
    """

    ctx: Context
    _read: tuple[Reading, Sequence[Manifest]] | None = field(default=None, repr=False)

    def items(self) -> Sequence[Manifest]:
        """They are shared: nobody changes them."""
        read = self._read
        age = since(self.ctx.clock, read[0]) if read else None
        if read is None or age is None or age > MOST_OLD:
            read = self._read = reading(self.ctx.clock), self.ctx.cluster.list(NAMESPACE)
        return read[1]

    def forget(self) -> None:
        """A new round begins."""
        self._read = None


def selection(ctx: Context, source: Source, listed: Listed | None = None) -> Selection:
    """What the source selects of the namespaces that are there; system namespaces only where named."""
    scope = source.spec.namespaces
    wanted = {label.key: label.value for label in scope.match_labels}
    found, others = {}, {}
    for item in ctx.cluster.list(NAMESPACE) if listed is None else listed.items():
        name = str(item["metadata"]["name"])
        labels = item["metadata"].get("labels") or {}
        by_label = bool(wanted) and all(labels.get(k) == v for k, v in wanted.items())
        goes = bool(item["metadata"].get("deletionTimestamp"))
        if not goes and (name in scope.names or (by_label and not system(ctx, name))):
            found[name] = item
        else:
            others[name] = item
    return Selection(found, others)


def system(ctx: Context, name: str) -> bool:
    """Whether a namespace is taken by its name only."""
    return name.startswith("kube-") or name == ctx.namespace


def selected(ctx: Context, source: Source, listed: Listed | None = None) -> dict[str, Manifest]:
    """The live namespaces that a source may write to; system namespaces only where named."""
    return selection(ctx, source, listed).namespaces
