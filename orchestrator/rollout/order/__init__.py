"""What changes together, in which order, and for whose pods; and how that is cut into pieces of work."""
