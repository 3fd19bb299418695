"""`metrics try`, `metrics presets`: what a source's metrics answer now, which queries come ready made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.analysis.queries.catalog import PRESETS, Preset
from orchestrator.analysis.queries.presets import queries
from orchestrator.analysis.queries.promql import Test
from orchestrator.cli import edge
from orchestrator.cli.app import Target
from orchestrator.cli.live.sparkline import sparkline
from orchestrator.cli.printing import aligned, formatted, printed, table
from orchestrator.cli.rollouts import sources
from orchestrator.context import Context
from orchestrator.errors import BadInput
from orchestrator.measure.metric_history import History, history
from orchestrator.measure.strategy_check import Answer, answer
from orchestrator.rollout.resources.resource import Source
from orchestrator.wording import many

MOST_SHOWN = 40  # namespaces of one metric; -o json has all
Trial = tuple[Answer, History]


def trial(target: Target, reference: str, namespaces: str, sandbox: bool, output: str) -> int:
    """0 where every metric that decides answers without a problem, else 1."""
    formatted(output)
    ctx, source = sources.chosen(target, reference, sandbox, "whose metrics?")
    analysis, names = source.spec.strategy.analysis, _names(ctx, source, namespaces)
    if not analysis.metrics:
        raise BadInput(f"the source {source.name} has no metrics", hint="see `netpol-canary metrics presets`")
    if sandbox:
        ctx.clock.sleep(analysis.baseline_seconds)  # in no time: the shop's traffic gets a past
    now = ctx.clock.now()
    trials = [
        (answer(ctx.metrics, analysis, spec, names, now), history(ctx.metrics, analysis, spec, names, now))
        for spec in analysis.metrics
    ]
    if output:
        printed({"metrics": [facts(*one) for one in trials]}, output)
    else:
        _text(trials, analysis.baseline_seconds)
    return int(any(a.problems and a.decides for a, _ in trials))


def _names(ctx: Context, source: Source, given: str) -> list[str]:
    from orchestrator.planning.planner import selected

    names = [n.strip() for n in given.split(",") if n.strip()] or sorted(selected(ctx, source))
    if not names:
        raise BadInput(f"the source {source.name} selects no namespace", hint="give --namespaces")
    return names


def facts(given: Answer, past: History) -> dict[str, Any]:
    """A metric's trial as plain data; times in seconds since 1970."""
    spaces = sorted({*given.values, *given.of, *past.values})
    start = past.start.timestamp()
    return {
        "name": given.metric.name,
        "kind": given.metric.kind,
        "test": given.metric.test,
        "provider": given.metric.provider,
        "preset": given.metric.preset,
        "decides": given.decides,
        "dryRun": given.metric.dry_run,
        "queries": list(given.queries),
        "namespaces": {
            n: {
                "value": given.values.get(n),
                **({"of": given.of.get(n)} if given.metric.kind == "ratio" else {}),
                "samples": _samples(past, n),
                "ageSeconds": past.ages.get(n),
                "history": [
                    [start + i * past.step, v] for i, v in enumerate(past.values.get(n, [])) if v is not None
                ],
            }
            for n in spaces
        },
        "problems": list(given.problems),
        "notes": [
            *given.notes,
            *([f"no history: {past.trouble}"] if past.trouble and not given.silent else []),
        ],
    }


def _samples(past: History, name: str) -> int:
    return sum(v is not None for v in past.values.get(name, []))


def _text(trials: Sequence[Trial], seconds: int) -> None:
    from rich.text import Text

    console = edge.console()
    for given, past in trials:
        console.print(Text(heading(given), style="bold"))
        for line in drawn(given, past, seconds):
            console.print(Text(f"  {line}"))
        for problem in given.problems:
            console.print(Text(f"  problem: {problem}", style="red" if given.decides else "yellow"))
        for note in facts(given, past)["notes"]:
            console.print(Text(f"  note: {note}", style="dim"))
        console.print()
    wrong = [a.metric.name for a, _ in trials if a.problems and a.decides]
    end = (
        f"a rollout cannot count on: {', '.join(wrong)}" if wrong else "a rollout can count on these metrics"
    )
    console.print(Text(end, style="bold red" if wrong else "bold green"))


def heading(given: Answer) -> str:
    """The metric's name and what it is."""
    spec = given.metric
    words = [spec.kind, spec.test, f"by {spec.provider}", *([f"preset {spec.preset}"] if spec.preset else [])]
    words += ["dry run: does not decide"] if spec.dry_run else [] if spec.required else ["not required"]
    return f"{spec.name}  ({', '.join(words)})"


def drawn(given: Answer, past: History, seconds: int) -> list[str]:
    """A row a namespace: value, of how many, samples in the past, the last one's age, and a plot."""
    spaces = sorted({*given.values, *given.of, *past.values})
    if not spaces:
        return []
    ratio = given.metric.kind == "ratio"
    rows = [["NAMESPACE", "VALUE", *(["OF"] if ratio else []), "SAMPLES", "AGE", f"LAST {seconds:g} s"]]
    for name in spaces[:MOST_SHOWN]:
        value = _number(given.values.get(name), ratio)
        of = [_number(given.of.get(name), False)] if ratio else []
        age = f"{past.ages[name]:.0f} s" if name in past.ages else "-"
        rows.append(
            [name, value, *of, str(_samples(past, name)), age, plot(past.values.get(name, []), ratio)]
        )
    more = [f"and {many(len(spaces) - MOST_SHOWN, 'more namespace')}"] if len(spaces) > MOST_SHOWN else []
    return [*aligned(rows), *more]


def plot(values: Sequence[float | None], ratio: bool = False) -> str:
    """One character a point from the least value to the greatest, which stand behind it."""
    known = [v for v in values if v is not None]
    if not known:
        return "-"
    least, most = min(known), max(known)
    return f"{sparkline(values)} {_number(least, ratio)} to {_number(most, ratio)}"


def _number(value: float | None, ratio: bool) -> str:
    if value is None:
        return "-"
    return f"{value * 100:.3g} %" if ratio else f"{value:.4g}"


def presets(name: str, output: str) -> int:
    """List them, or show one with its queries. Raises BadInput where there is none of that name."""
    formatted(output)
    if name and name not in PRESETS:
        raise BadInput(f"there is no preset {name}", hint=f"take one of {', '.join(PRESETS)}")
    chosen = [PRESETS[name]] if name else list(PRESETS.values())
    if output:
        printed({"presets": [preset_facts(p) for p in chosen]}, output)
    elif name:
        print("\n".join(_described(chosen[0])))
    else:
        table(["NAME", "KINDS", "COUNTS"], ([p.name, ", ".join(p.kinds), p.about] for p in chosen))
    return 0


def preset_facts(preset: Preset) -> Mapping[str, Any]:
    """A preset with its queries, by kind and test."""
    kinds = {
        kind: {test: queries(preset, kind, test) for test in tests(preset, kind)} for kind in preset.kinds
    }
    return {"name": preset.name, "about": preset.about, "provider": preset.provider, "kinds": kinds}


def tests(preset: Preset, kind: str) -> list[Test]:
    """The tests that a preset has queries for."""
    return ["threshold"] if kind in preset.queries else ["threshold", "sequential"]


def _described(preset: Preset) -> Iterator[str]:
    yield f"{preset.name}: {preset.about}"
    for kind, by_test in preset_facts(preset)["kinds"].items():
        for test, fields in by_test.items():
            yield f"\nkind: {kind}, test: {test}"
            yield from (f"  {field}: {text}" for field, text in fields.items())
