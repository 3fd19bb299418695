"""What the controller looks after between rollouts: drift, orphaned namespaces, stray bridges."""
