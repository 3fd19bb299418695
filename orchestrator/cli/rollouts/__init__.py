"""Rollouts on their way: planned, run, watched, explained, interfered with."""
