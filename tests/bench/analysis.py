"""How soon a regression is found, and how often one is seen where there is none: `make bench-analysis`.

Simulated traffic scraped every 15 s: an hour before a change, an hour after it, three watched namespaces,
controls with three times the traffic of one. The change breaks one namespace the moment it is applied. Rules:
rules.py.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import on_path  # noqa: F401
from random_traffic import errors, requests
from rich.console import Console
from rich.table import Table
from rules import MINUTE, NEVER, RULES, Scene

from orchestrator.analysis.sequential.alarm import alarm_at
from orchestrator.analysis.sequential.clumps import dispersion
from orchestrator.analysis.sequential.e_process import ratio_path, regressed_errors

HOUR, NAMES, CONTROLS, SHARE, SECONDS = 240, 3, 3, 0.001, 15
PLOT = Path("build/bench/analysis.svg")
BREAK_RUNS, QUIET_RUNS = 200, 500
TEN, LOW = 10.0, 0.5  # requests a second of one namespace

# name: settings of scene(); `share` is the broken namespace's share of errors after the change.
BREAKS = {
    "0.1 to 0.5 %": {"share": 0.005},
    "0.1 to 2 %": {"share": 0.02},
    "0.1 to 30 %": {"share": 0.3},
    "0.1 to 100 %": {"share": 1.0},
    "traffic vanishes": {"left": 0.0},
    "30 %, clumps of 3": {"share": 0.3, "clump": 3},
    "30 %, clumps of 10": {"share": 0.3, "clump": 10},
    "30 %, daily drift": {"share": 0.3, "daily": 0.5},
    "30 %, low traffic": {"share": 0.3, "rate": LOW},
    "100 %, low traffic": {"share": 1.0, "rate": LOW},
    "vanishes, low traffic": {"left": 0.0, "rate": LOW},
    "vanishes, swells by 20 %": {"left": 0.0, "swell": 0.2},
}
CLEAR = ("0.1 to 30 %", "0.1 to 100 %", "traffic vanishes")
QUIET = {
    "independent errors": {},
    "clumps of 3": {"clump": 3},
    "clumps of 10": {"clump": 10},
    "clumps of 50 (not claimed)": {"clump": 50},
    "daily drift": {"daily": 0.5},
    "traffic swells by 20 %": {"swell": 0.2},
    "low traffic": {"rate": LOW},
    "low traffic, clumps of 3": {"rate": LOW, "clump": 3},
    "an outage that all share": {"outage": 0.3},
    "the same, controls a scrape behind (not claimed)": {"outage": 0.3, "behind": 1},
}


def scene(rng, runs, *, share=None, left=1.0, rate=TEN, clump=1, daily=0.0, swell=0.0, outage=0.0, behind=0):
    """Counts of so many runs.

    `daily` is the amplitude of a day's wave at its steepest; `outage` is everyone's share of errors for five
    minutes, which the controls show `behind` intervals later.
    """
    clock = np.sin(2 * np.pi * np.arange(-HOUR, HOUR) / (24 * HOUR))
    busy, usual = 1 - daily * clock, np.tile(SHARE * (1 + daily * clock), (1, 1))[0]

    def traffic(scale, wrong=None, kept=1.0, later=0):
        failing = usual.copy()
        failing[HOUR + 100 + later : HOUR + 100 + later + 5 * MINUTE] += outage
        mean = rate * SECONDS * scale * busy * np.where(np.arange(2 * HOUR) < HOUR, 1.0, kept)
        total = requests(rng, runs, 2 * HOUR, mean, swell)
        found = np.minimum(errors(rng, total, failing, clump), np.maximum(total, 0))
        if wrong is not None:
            broken = np.minimum(errors(rng, total, wrong, clump if wrong < 1 else 1), total)
            found[:, HOUR:] = (total if wrong == 1 else broken)[:, HOUR:]
        return found, total

    parts = [traffic(1, share if n == 0 else None, left if n == 0 else 1.0) for n in range(NAMES)]
    found, total = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
    pooled = traffic(CONTROLS, later=behind)
    sides = [part[:, side] for side in (slice(HOUR), slice(HOUR, None)) for part in pooled]
    return Scene(found[..., :HOUR], total[..., :HOUR], found[..., HOUR:], total[..., HOUR:], tuple(sides))


def times(job):
    """Seconds until each rule alarms, (runs,) by rule; NEVER where it does not within the hour."""
    seed, runs, settings = job
    made = scene(np.random.default_rng(seed), runs, **settings)
    return {name: rule(made) * SECONDS for name, rule in RULES.items()}


def until_enough(rate, share):
    """Seconds until a good change has shown enough to rule out that share of errors; the median of runs."""
    rng = np.random.default_rng(99)
    made = scene(rng, 100, rate=rate)
    before, asked = (made.errors_before[:, 0], made.total_before[:, 0]), made.total[:, 0]
    would = regressed_errors(asked, share, dispersion(*before))
    path = ratio_path(*before, would, asked, np.ones_like(asked), 0.5)
    passed = path >= alarm_at(2 * NAMES, 3, 0.05)
    return np.median(np.where(passed.any(axis=1), (passed.argmax(axis=1) + 1) * SECONDS, NEVER))


def lasting(seconds):
    """A duration as people write it."""
    if np.isinf(seconds):
        return "never"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def cell(found):
    """Median, 95th percentile, and how many runs found it where not all did."""
    share = np.isfinite(found).mean()
    middle, late = np.quantile(found, [0.5, 0.95], method="higher")
    seen = "" if share == 1 else f" ({share * 100:.0f} %)"
    return "never" if share == 0 else f"{lasting(middle)} / {lasting(late)}{seen}"


def table(title, rows, show):
    """One row a scenario, one column a rule."""
    made = Table(title=title, title_justify="left")
    for head in ("", *RULES):
        made.add_column(head, justify="left" if not head else "right")
    for name, found in rows.items():
        made.add_row(name, *(show(found[rule]) for rule in RULES))
    return made


def sooner(breaks):
    """How many times sooner ours finds clear breaks than each rule, by medians; the least of the three."""
    for rule in RULES:
        if rule != "ours":
            least = min(np.median(breaks[name][rule]) / np.median(breaks[name]["ours"]) for name in CLEAR)
            yield f"{rule}: {least:.3g} times"


def plot(breaks, quiet):
    """Both tables as bars, into PLOT."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(14, 7), layout="constrained")
    sides = [
        (
            breaks,
            lambda t: np.quantile(t, 0.5, method="higher") / 60,
            "minutes until found (median; beyond the line: not within the hour)",
        ),
        (quiet, lambda t: np.isfinite(t).mean() * 100, "false alarms, % of waves"),
    ]
    for axis, (rows, measure, label) in zip(axes, sides, strict=True):
        for place, rule in enumerate(RULES):
            heights = [min(measure(found[rule]), 100) for found in rows.values()]
            axis.barh(np.arange(len(rows)) + place / 6, heights, height=1 / 6, label=rule)
        axis.set_yticks(np.arange(len(rows)) + 1 / 3, list(rows))
        axis.invert_yaxis()
        axis.set_xlabel(label)
    axes[0].set_xscale("log")
    axes[0].axvline(60, color="grey", linewidth=0.5)
    axes[1].legend(loc="center right")
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT)


def main():
    """Print the tables, draw the plot."""
    began, console = time.monotonic(), Console(width=150)
    jobs = [(n, BREAK_RUNS, s) for n, s in enumerate(BREAKS.values())]
    jobs += [(100 + n, QUIET_RUNS, s) for n, s in enumerate(QUIET.values())]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(times, jobs[::-1]))[::-1]
    breaks = dict(zip(BREAKS, found, strict=False))
    quiet = dict(zip(QUIET, found[len(BREAKS) :], strict=True))
    console.print(
        table("Time until found: median / 95 % of runs (share found within the hour)", breaks, cell)
    )
    console.print(
        table("False alarms within an hour", quiet, lambda t: f"{np.isfinite(t).mean() * 100:.1f} %")
    )
    console.print("Ours finds clear breaks (30 %, 100 %, vanished) sooner than " + "; ".join(sooner(breaks)))
    for rate in (LOW, 2, TEN, 100):
        small, large = (lasting(until_enough(rate, share)) for share in (0.05, 0.3))
        console.print(f"{rate:g} requests/s: enough to rule out 5 % errors after {small}, 30 % after {large}")
    plot(breaks, quiet)
    console.print(f"{PLOT.resolve()}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
