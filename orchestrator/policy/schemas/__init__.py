"""What the API server would refuse in a policy, kind by kind."""
