"""What policies mean, before any cluster is touched."""
