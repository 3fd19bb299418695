"""The ports in memory: an API server, a network, traffic, metrics, a clock."""
