"""Planted bugs: each takes one safeguard of the product away, and the simulation must find it."""

BUGS = {}
