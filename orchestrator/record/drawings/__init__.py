"""Pictures of a rollout as SVG."""
