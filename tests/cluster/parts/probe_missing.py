"""Stands in the probe image for a probe agent that this tree does not have: says so and fails."""

import sys

sys.exit("netpol-canary-probe: this tree has no orchestrator/probe/agent.py")
