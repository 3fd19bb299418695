"""The demo: a shop in memory, and what becomes of changes to its policies."""
