"""What a source has: its one place for a rollout, its verified revision, its namespaces, its past rollouts."""
