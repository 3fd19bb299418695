"""What numbers mean: measurements and verdicts. Pure."""
