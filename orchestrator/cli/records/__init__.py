"""Rollouts that ended: listed, reported, archived."""
