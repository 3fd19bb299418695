"""Looks for a planted bug: the first seed that breaks a promise with it and none without."""

from simulation.bugs import BUGS
from simulation.run import simulate


def first_find(seeds, name, **fixed):
    """The seed, the promise and what was seen; None where no seed shows the bug. `fixed` sharpens the settings."""
    for seed in seeds:
        broken = simulate(seed, BUGS[name], stops=True, **fixed).violations
        if broken and not simulate(seed, **fixed).violations:
            return seed, *broken[0]
    return None
