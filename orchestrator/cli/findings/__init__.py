"""Findings as people, CI systems and Git hosts take them."""
