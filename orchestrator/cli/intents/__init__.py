"""Policies held against what they are meant to do, and against what was recorded."""
