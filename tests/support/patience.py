"""How tests wait for real parts: for a condition, with an end that no busy machine reaches.

Nothing here says how quick something is. An end only keeps a test that will never pass from standing there for good.
"""

import os
import subprocess
import time

ENOUGH = 400.0  # seconds
MILLISECONDS = ENOUGH * 1000
KUBECTL = f"--timeout={ENOUGH:.0f}s"  # the same for `kubectl wait`, `delete` and `rollout status`
# Seconds between two looks. Every look of the cluster tier is a request to a real API server on cores that are few.
EVERY = 0.3 if os.environ.get("NETPOL_CANARY_CLUSTER") else 0.1


def eventually(condition, seconds=ENOUGH, every=EVERY):
    """The first true answer of `condition`; AssertionError where none came in so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"it did not come about within {seconds:.0f} s"
        time.sleep(every)


def ran(*command, **more):
    """How a program ended, and what it printed."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=ENOUGH, check=False, **more)
