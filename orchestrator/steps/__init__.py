"""One file a step; each is idempotent, safe to repeat and safe to die in."""
