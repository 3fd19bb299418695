"""What a plan would do to the cluster's workloads, before anything is written; what must not be is refused."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.adapters.kube.cni import GENERIC, detected, settled
from orchestrator.adapters.kube.workloads import documents
from orchestrator.analysis.queries.presets import expanded
from orchestrator.context import Context
from orchestrator.errors import Forbidden, Refused
from orchestrator.planning.afterwards import afterwards
from orchestrator.planning.concerned import concerned
from orchestrator.planning.probe_draw import drawn
from orchestrator.planning.serving import cut_off, serving
from orchestrator.policy.author.intents import PolicyTest, Result, holding, run, tests_of
from orchestrator.policy.author.probing import Chosen
from orchestrator.policy.files.manifest import Document, parse
from orchestrator.policy.impact.impact import Impact, impact
from orchestrator.policy.impact.risk import KINDS, LEVELS, Risk, risk
from orchestrator.policy.network.boundaries import (
    Boundary,
    Proposal,
    boundaries,
    by_end,
    crossings,
    in_two_phases,
    propose,
    until_last,
)
from orchestrator.policy.network.connection_diff import Change, changes, touched
from orchestrator.policy.network.connections import table
from orchestrator.policy.network.left_open import left_open, told
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.workloads.comparable import asked_alike, unread_kinds, unread_policies
from orchestrator.policy.workloads.fleet import Fleet, fleet
from orchestrator.rollout.layout import ENDINGS
from orchestrator.rollout.order.plan import Plan
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.places import CLUSTER
from orchestrator.wording import few

MOST_SHOWN = 3
TAKE_BACK = ": the policies that it serves could neither be read nor taken back; let the API server in with the same change"
MOST_PROBES = 64
MOST_WORK = 20_000_000
TOO_MANY = "too many to work out every connection"
MOST_RANGES = 10_000_000  # pairs of address ranges, for each workload: some hundred blocks in a small cluster


@dataclass(frozen=True)
class Forecast:
    """`unknown` says why nothing is known of the connections; then the risk is high.

    `chosen` is what would be tried with real packets, were all waves one; None where probes cannot run. `cni` is the
    profile by which policies were read. `notes` name policies that stand in the cluster and are not evaluated, and changed
    rules of which nobody knows what they open. `unserved` names what serves policies and could not be called any more. `waves` are
    those of namespaces, and of workloads that change with another wave than theirs.
    """

    changes: Sequence[Change] = ()
    impact: Impact = field(default_factory=Impact)
    risk: Risk = field(default_factory=lambda: risk((), Impact()))
    boundaries: Sequence[Boundary] = ()
    proposal: Proposal = field(default_factory=Proposal)
    failed: Sequence[str] = ()
    unknown: str = ""
    probes: Sequence[m.ProbeSpec] = ()
    chosen: Chosen | None = None
    cni: str = GENERIC
    notes: Sequence[str] = ()
    unserved: Sequence[str] = ()
    waves: Mapping[str, int] = field(default_factory=dict)

    @property
    def lasting(self) -> list[Boundary]:
        """What breaks or opens between two waves, not only for a moment."""
        return [b for b in self.boundaries if not b.momentary]


def unworkable(old: Fleet, new: Fleet, changed: Collection[str]) -> str:
    """Said where there is too much to work out every connection of the changed namespaces; else empty."""
    spans = max(len(ranges(old)), len(ranges(new)))
    if spans**2 * len(new.workloads) > MOST_RANGES:
        return f"the address blocks of the policies make {spans} ranges, {TOO_MANY}"
    spaces = {*changed, *known} if (known := touched(old, new)) is not None else None
    near = sum(spaces is None or w.pod.namespace in spaces for w in old.workloads)
    return (
        f"{near} pods in the changed namespaces are {TOO_MANY}"
        if near * len(old.workloads) > MOST_WORK
        else ""
    )


def forecast(ctx: Context, plan: Plan, strategy: m.Strategy, files: Mapping[str, bytes]) -> Forecast:
    """Evaluate the plan over the pods and policies that stand now."""
    if plan.empty:
        return Forecast()
    cni = detected(ctx.cluster, strategy.cni)
    tests = tests_of(d for path in sorted(files) if path.endswith(ENDINGS) for d in parse(files[path], path))
    try:
        standing = list(documents(ctx.cluster))
    except Forbidden as error:
        if tests:
            raise
        return replace(_unknown(f"the pods cannot be listed: {error}"), cni=cni)
    states = (fleet(found, live=True).under(cni) for found in _states(standing, plan, files))
    old, mid, new = asked_alike(*states)
    servers, untold = serving(ctx.cluster, plan, standing)
    notes = (*unread_policies(new), *told(left_open(old, new)), *untold)
    unserved = cut_off(servers, plan, old, cni)
    found = _evaluated(ctx, plan, strategy, (old, mid, new), tests, cni)
    apart = old.workloads if any(part.pods for wave in plan.waves for part in wave.parts.values()) else ()
    waves = {**plan.numbers, **{w.name: plan.wave_of(w) for w in apart}}
    return replace(found, notes=notes, unserved=unserved, waves=waves)


def _states(
    standing: Sequence[Document], plan: Plan, files: Mapping[str, bytes]
) -> Iterator[Iterable[Document]]:
    """Before; in the middle, and afterwards.

    In the middle all have what both allow, where the plan expands first; else what is for the whole cluster has not changed yet,
    or has alone, where it comes first.
    """
    if plan.expands:
        yield standing
        yield afterwards(standing, plan.expands, files)
        yield afterwards(standing, plan.namespaces, files)
        return
    wide = {name: item for name, item in plan.namespaces.items() if name == CLUSTER}
    spaced = {name: item for name, item in plan.namespaces.items() if name != CLUSTER}
    yield standing
    yield afterwards(standing, wide if plan.cluster_first else spaced, files)
    yield afterwards(standing, plan.namespaces, files)


def _evaluated(
    ctx: Context,
    plan: Plan,
    strategy: m.Strategy,
    fleets: tuple[Fleet, Fleet, Fleet],
    tests: Sequence[tuple[PolicyTest, str]],
    cni: str,
) -> Forecast:
    """What becomes of the connections: before, while only what is for the whole cluster is still as before, and afterwards."""
    old, _, new = fleets
    reading = settled(cni)
    results = run(new, tests, reading) if tests else []
    failed = [f"{r.name}: {problem}" for r in results for problem in _problems(r)]
    if too_much := unworkable(old, new, plan.namespaces):
        found = _unknown(too_much)
        return Forecast(risk=found.risk, unknown=found.unknown, failed=failed, cni=cni)
    wanted = _probes(old, new, tests, plan, strategy, reading)
    moved = changes(old, new, reading, replicas=True)
    chosen = _chosen(ctx, old, new, moved, plan, strategy, reading)
    effect = impact(old, new, moved, reading, own=ctx.namespace)
    level = risk(moved, effect, strategy.risk, len(left_open(old, new)), unread_kinds(new))
    try:
        between, proposal = _between(plan, fleets, reading)
    except OverflowError as error:
        return Forecast(
            moved,
            effect,
            level,
            failed=failed,
            unknown=str(error),
            probes=wanted,
            chosen=chosen,
            cni=cni,
        )
    return Forecast(
        moved,
        effect,
        level,
        between,
        proposal,
        failed,
        probes=wanted,
        chosen=chosen,
        cni=cni,
    )


def _between(
    plan: Plan, fleets: tuple[Fleet, Fleet, Fleet], reading: dict[str, bool]
) -> tuple[list[Boundary], Proposal]:
    """What shows between two waves, and what would avoid it. Raises OverflowError."""
    if plan.expands:
        return in_two_phases(fleets, plan.expanded, plan.wave_of, reading), Proposal()
    if plan.parts:
        return by_end(fleets, plan.wave_of, reading), Proposal()
    waves = plan.numbers
    last = waves.pop(CLUSTER, None)
    crossed = crossings(fleets[0], fleets[1], waves, reading)
    late = [] if last is None else until_last(fleets, waves, last, reading)
    return sorted([*boundaries(crossed, waves), *late], key=Boundary.order), propose(crossed, waves)


def _chosen(
    ctx: Context,
    old: Fleet,
    new: Fleet,
    moved: Sequence[Change],
    plan: Plan,
    strategy: m.Strategy,
    reading: dict[str, bool],
) -> Chosen | None:
    probing = strategy.analysis.probing
    if not probing.edges or ctx.prober(probing, plan.source, ctx.beat) is None:
        return None
    mine = concerned(plan.namespaces, new)
    others = sorted({w.pod.namespace for w in new.workloads} - mine)
    before, after = (table(f, reading, touched=mine, replicas=True) for f in (old, new))
    return drawn((old, new), (before, after), moved, mine, others, plan.revision, strategy.analysis, reading)


def _probes(
    old: Fleet,
    new: Fleet,
    tests: Sequence[tuple[PolicyTest, str]],
    plan: Plan,
    strategy: m.Strategy,
    reading: dict[str, bool],
) -> list[m.ProbeSpec]:
    """The intents that the change must leave as they are, as far as there is room beside the strategy's probes."""
    if not strategy.analysis.probe_intents:
        return []
    taken = {p.name for p in strategy.analysis.probes}
    found = []
    for number, (intent, src, dst, port) in enumerate(
        holding(old, new, tests, concerned(plan.namespaces, old), MOST_PROBES - len(taken), reading)
    ):
        name = intent.name[:240] if intent.name[:240] not in taken else f"{intent.name[:240]} ({number})"
        taken.add(name)
        ends = {"source": f"{src.namespace}/{src.name}", "destination": f"{dst.namespace}/{dst.name}"}
        spec = m.ProbeSpec(name=name, port=port.port, protocol=port.protocol, expect=intent.expect, **ends)
        found.append(spec)
    return found


def _unknown(why: str) -> Forecast:
    return Forecast(risk=Risk("high", (why,), KINDS), unknown=why)


def refuse(found: Forecast, strategy: m.Strategy) -> None:
    """Raises Refused for intents that would not be met, where nobody could take the change back, and for boundaries where the source refuses them."""
    if found.unserved:
        raise Refused(f"the change keeps the API server from {_listed(found.unserved)}{TAKE_BACK}")
    if found.failed:
        raise Refused(f"the change fails its own intents: {_listed(found.failed)}")
    if found.lasting and strategy.boundaries == "refuse":
        hint = f"; {found.proposal.text}" if found.proposal.text else ""
        raise Refused(f"between waves, {_listed([b.text for b in found.lasting])}{hint}")


def _listed(items: Sequence[str]) -> str:
    return few(items, MOST_SHOWN, "; ", "; and")


def frozen(found: Forecast, strategy: m.Strategy) -> m.Strategy:
    """The strategy as it is frozen with the rollout.

    With it go the gates that this change's risk asks for, one before what breaks between waves, the probes of its intents,
    its presets' queries, and the CNI that was found.
    """
    gates = [g for g in strategy.gates if _asked(g, found.risk)]
    if found.lasting and strategy.boundaries in ("ask", "expand"):
        first = min(b.since for b in found.lasting)
        if all(g.wave != first for g in gates):
            gates.append(m.Gate(wave=first, name="between waves"))
    analysis = expanded(strategy.analysis)
    if found.probes:
        analysis = analysis.model_copy(update={"probes": [*analysis.probes, *found.probes]})
    return strategy.model_copy(update={"gates": gates, "analysis": analysis, "cni": found.cni})


def _asked(gate: m.Gate, risk: Risk) -> bool:
    """Whether a change of this risk has to pass the gate."""
    enough = LEVELS.index(gate.min_risk) <= LEVELS.index(risk.level)
    return enough and (not gate.risks or bool(set(gate.risks) & set(risk.kinds)))


def _problems(result: Result) -> list[str]:
    """An intent about workloads that do not run now says nothing."""
    return [p for p in result.problems if "selects no workload" not in p]
