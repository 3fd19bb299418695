"""Works a rollout off in this process."""
