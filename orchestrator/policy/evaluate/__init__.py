"""What policies say of one connection."""
