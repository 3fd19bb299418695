"""What stands in the outboxes of rollouts, brought to its receivers."""
