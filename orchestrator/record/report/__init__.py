"""A rollout, and many of them, as documents."""
