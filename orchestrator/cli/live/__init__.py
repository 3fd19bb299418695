"""A rollout as it goes, in one view that is drawn anew in place on a terminal."""
