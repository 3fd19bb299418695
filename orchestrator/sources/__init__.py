"""What a source has: its one place for a rollout, its current revision, its namespaces, its past rollouts."""
