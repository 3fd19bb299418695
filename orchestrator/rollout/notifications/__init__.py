"""What is said to people and Git hosts about a rollout."""
