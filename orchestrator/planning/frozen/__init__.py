"""What of a plan is frozen with its rollout."""
