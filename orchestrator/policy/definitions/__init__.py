"""Which connections service definitions ask for."""
