"""`plan`: what a revision, or a directory, would change, in which waves, and why in this order."""

from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.git.directory import Directory
from orchestrator.adapters.probes.lookalikes import concerns
from orchestrator.cli.app import Target
from orchestrator.cli.printing import formatted, printed
from orchestrator.cli.rollouts import sources
from orchestrator.cli.rollouts.plan_printed import facts, forecast_facts, text
from orchestrator.context import Context, freezes
from orchestrator.errors import BadInput
from orchestrator.measure.strategy_check import unjudged
from orchestrator.operations.start import obstacle, tried_before
from orchestrator.planning.forecast import Forecast, forecast, refuse
from orchestrator.planning.frozen.frozen_waves import placed_gates
from orchestrator.planning.orphans import orphans
from orchestrator.planning.planner import plan
from orchestrator.policy.author.probing import place
from orchestrator.ports import Probe
from orchestrator.rollout.gates.opening import closure, would_skip
from orchestrator.rollout.order.plan import Plan
from orchestrator.rollout.resources.resource import Source


def show(
    target: Target, path: Path | None, reference: str, revision: str, sandbox: bool, output: str, diff: bool
) -> int:
    """Print the plan; nothing is written anywhere."""
    formatted(output)
    if path is None and not reference:
        raise BadInput("there is nothing to plan", hint="give a directory, or --source")
    if path is not None and revision:
        raise BadInput("a directory has no revisions", str(path), "leave out --revision")
    ctx, source = sources.chosen(target, reference, sandbox, "which namespaces and waves?")
    if path is not None:
        directory = Directory(path)
        ctx = replace(ctx, repository=lambda _: directory)

    repository = ctx.repository(source)
    commit = repository.resolve(revision)
    made = plan(ctx, source, commit)
    expected = forecast(ctx, made, source.spec.strategy, repository.files(commit))
    left = orphans(ctx, source).text
    if output:
        skipped = {"emergencySkips": _skipped(ctx, source, made)}
        printed(facts(made) | {"orphaned": left} | skipped | forecast_facts(expected), output)
    else:
        lines = [
            *_waits(ctx, source, made),
            *_emergency(ctx, source, made),
            *_concerns(ctx, source, expected),
        ]
        text(made, expected, left, lines, diff, source.spec.strategy.risk)
    refuse(expected, source.spec.strategy)
    return 0


def _waits(ctx: Context, source: Source, made: Plan) -> list[str]:
    """Why no rollout would begin now, or not everywhere, and why no wave would open: a freeze or a window."""
    why, (_, back) = obstacle(source, made.revision), tried_before(ctx, source, made)
    way = closure(source.spec.strategy.windows, freezes(ctx), source.name, ctx.clock.now())
    held = [f"no rollout begins now: {why}"] if why else []
    closed = [] if way.open else [f"no wave opens now: {way.message}"]
    return [*held, *([f"left out: {back}"] if back else []), *closed]


def _skipped(ctx: Context, source: Source, made: Plan) -> list[str]:
    sizes = [len(wave.namespaces) for wave in made.waves]
    gates = placed_gates(source.spec.strategy.gates, made.waves)
    strategy = source.spec.strategy.model_copy(update={"gates": gates})
    return would_skip(strategy, source.name, sizes, 0, freezes(ctx), ctx.clock.now()) if sizes else []


def _emergency(ctx: Context, source: Source, made: Plan) -> list[str]:
    """What an emergency would skip."""
    skipped = _skipped(ctx, source, made)
    return [f"--emergency would skip: {'; '.join(skipped)}"] if skipped else []


def _concerns(ctx: Context, source: Source, expected: Forecast) -> list[str]:
    """Why nothing would judge the waves, and what in the cluster would take probe pods for a workload's own."""
    analysis = source.spec.strategy.analysis
    why = unjudged(analysis, ctx.prober(analysis.probing, source.name, ctx.beat) is not None)
    elsewhere = "" if unjudged(analysis, able=True) else "; a controller of an installation has one"
    judged = [f"nothing judges the waves: {why}{elsewhere}"] if why else []
    attempts = expected.chosen.attempts if expected.chosen else ()
    ends = [(a.name, place(a.src), place(a.dst), a.port, a.protocol) for a in attempts]
    probes = [Probe(*e, reachable=True) for e in ends]
    return [*judged, *(f"probes: {text}" for text in concerns(ctx.cluster, probes))]
