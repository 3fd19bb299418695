"""Pushes that Git hosts report: a file a host, found by the registry."""
