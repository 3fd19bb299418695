"""The map of who may connect to whom, as the cluster stands and as a rollout changes it."""
