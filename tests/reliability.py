"""`make reliability`: measures what docs/reliability.md says, and writes the figures there.

The simulation plays SEEDS seeds and each planted bug until it is found; the tests of hostile input are run and counted.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

from simulation.__main__ import rarely_collected
from simulation.bugs import BUGS
from simulation.hunt import first_find
from simulation.run import simulate

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- figures: written by `make reliability` -->", "<!-- end of figures -->"
MOST_SEEDS = 500  # in which a planted bug has to be found
# What is sent as hostile input, by the tests that send it.
HOSTILE = {
    "tests of hostile repositories": "tests/adapters/git/test_hostile_repositories.py",
    "tests of hostile manifests, some hundred shapes in all": "tests/faults/test_hostile_manifests.py",
    "tests that drive commands and pages with hostile texts": "tests/cli/test_hostile_texts.py tests/server/pages/test_hostile_pages.py",
    "tests of webhooks' bodies and deliveries": "tests/server/webhooks",
}


def main(arguments=None):
    """0 where everything held; the page is written either way, for it says what was found."""
    parser = argparse.ArgumentParser(prog="make reliability", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    asked = parser.parse_args(arguments)
    played, found = [], {}
    with ProcessPoolExecutor(os.cpu_count(), initializer=rarely_collected) as pool:
        for one in pool.map(simulate, range(asked.seeds), chunksize=4):
            played.append(one)
            if one.violations:
                said(f"seed {one.seed}: {one.violations[0]}")
            if len(played) % 100 == 0:
                said(f"{len(played)} seeds of {asked.seeds} were played")
        for name, seeds in zip(BUGS, pool.map(first_found, BUGS), strict=True):
            found[name] = seeds
            said(f"{name}: {'not found' if seeds is None else f'found after {seeds} seeds'}")
    inputs = {name: sent(paths) for name, paths in HOSTILE.items()}
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    lines = ["", *table(played, found, inputs), ""]
    PAGE.write_text(head + BEGIN + "\n".join(lines) + END + rest.split(END)[1])
    print("\n".join(lines))
    held = not any(p.violations for p in played) and all(found.values())
    return 0 if held and all(passed is not None for passed in inputs.values()) else 1


def said(text):
    """On standard error, for whoever waits: all of it takes long."""
    print(text, file=sys.stderr, flush=True)


def first_found(name):
    """How many seeds it takes until a planted bug is noticed; None where MOST_SEEDS do not suffice."""
    found = first_find(range(MOST_SEEDS), name)
    return None if found is None else found[0] + 1


def sent(paths):
    """How many tests of hostile input passed; None where one did not."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-rN",
        "-o",
        "addopts=",
        *paths.split(),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    return int(passed.group(1)) if done.returncode == 0 and passed else None


def table(played, found, inputs):
    """Markdown: a figure a line."""
    faults = Counter()
    for run in played:
        faults.update(run.faults)
    took = sorted(seconds for run in played for seconds in run.restored)
    missed = [name for name, seeds in found.items() if seeds is None]
    worst = max((seeds for seeds in found.values() if seeds), default=0)
    kills = faults.pop("kill", 0)
    yield f"Measured on {date.today():%d %B %Y}, in simulated time where seconds are named."
    yield from ("", "| figure | value |", "|---|---|")
    yield f"| seeds of the simulation | {len(played):,} |"
    yield f"| rollouts in them | {sum(p.rollouts for p in played):,} |"
    yield f"| calls of ports | {sum(p.calls for p in played):,} |"
    yield f"| faults: {', '.join(f'{name} {count:,}' for name, count in sorted(faults.items()))} | {sum(faults.values()):,} |"
    yield f"| processes killed and restarted | {kills:,} |"
    yield f"| seeds in which a promise was broken | {sum(bool(p.violations) for p in played):,} |"
    named = f", not {', '.join(missed)}" if missed else f", the last after {worst} seeds"
    yield f"| planted bugs found | {len(found) - len(missed)} of {len(found)}{named} |"
    if took:
        most = took[min(int(len(took) * 0.95), len(took) - 1)]
        middle = statistics.median(took)
        yield f"| from detection to everything restored, under faults, {len(took):,} rollbacks | median {middle:.1f} s, 95 % within {most:.1f} s |"
    for name, passed in inputs.items():
        yield f"| {name} | {passed if passed is not None else 'NOT ALL PASSED'} |"


if __name__ == "__main__":
    sys.exit(main())
