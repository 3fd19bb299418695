"""What is probably wrong with NetworkPolicies: one file a kind of finding."""
