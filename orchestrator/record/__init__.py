"""A rollout as people read it, derived from its resources alone: pure, shared by the CLI, the pages and the reports."""
