"""What a change of the network means, and how much it could hurt."""
