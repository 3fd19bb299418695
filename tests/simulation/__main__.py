"""`make simulate SEEDS=N [FROM=]`: plays seeds on every core, and says what came of them and which seed repeats one."""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from simulation.bugs import BUGS
from simulation.hunt import first_find
from simulation.run import simulate

SETBACK_EVERY = 20.0  # mean seconds between two of them
REPEAT = "make simulate SEEDS=1 FROM="


def main(argv=None):
    """1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--bug", choices=sorted(BUGS), help="play with a safeguard taken away")
    parser.add_argument(
        "--hunt", action="store_true", help="look for every planted bug, in so many seeds at most"
    )
    parser.add_argument("--setback", type=float, help="set wall clocks back by so many seconds in every seed")
    given = parser.parse_args(argv)
    if given.seeds < 1 or given.first < 0:
        parser.error("SEEDS is at least 1, FROM at least 0")
    if given.hunt:
        return _hunt(range(given.first, given.first + given.seeds))
    began, counts, rules, wrong = time.monotonic(), Counter(), Counter(), 0
    seeds = range(given.first, given.first + given.seeds)
    with ProcessPoolExecutor(os.cpu_count(), initializer=rarely_collected) as pool:
        for found in pool.map(partial(_played, given.bug, given.setback), seeds, chunksize=4):
            counts.update(seeds=1, events=found.events, calls=found.calls, rollouts=found.rollouts)
            counts.update(faults=sum(found.faults.values()) - found.kills, kills=found.kills)
            if found.violations:
                wrong += 1
                rules.update({rule for rule, _ in found.violations})
                _say(found, given.bug, given.setback)
    seconds = time.monotonic() - began
    told = ("seeds", "rollouts", "events", "calls", "faults", "kills")
    print(", ".join(f"{counts[name]} {name}" for name in told) + f", {wrong} seeds with violations")
    for rule, count in rules.most_common():
        print(f"  {count} x {rule}")
    print(f"{counts['seeds'] / seconds:.1f} seeds a second")
    return 1 if wrong else 0


def _hunt(seeds):
    """1 where a planted bug is not found; what a seed shows without the bug, too, is no find."""
    lost = 0
    with ProcessPoolExecutor(os.cpu_count(), initializer=rarely_collected) as pool:
        for name, found in zip(sorted(BUGS), pool.map(partial(first_find, seeds), sorted(BUGS)), strict=True):
            lost += found is None
            shown = "not found" if found is None else f"seed {found[0]}: {found[1]}: {found[2][:200]}"
            print(f"{name}: {shown}", flush=True)
    print(f"{len(BUGS) - lost} of {len(BUGS)} planted bugs found within {len(seeds)} seeds")
    return 1 if lost else 0


def rarely_collected():
    """A tenth of the time went into looking through what all lives until the end of its seed."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)


def _played(bug, setback, seed):
    fixed = {"setback": setback, "clock_every": SETBACK_EVERY} if setback else {}
    return simulate(seed, BUGS[bug] if bug else None, **fixed)


def _say(found, bug, setback):
    more = (f" BUG={bug}" if bug else "") + (f" SETBACK={setback:.0f}" if setback else "")
    print(f"seed {found.seed}: {len(found.violations)} violations; `{REPEAT}{found.seed}{more}` repeats it")
    for rule, text in found.violations[:3]:
        print(f"  {rule}: {text[:400]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
