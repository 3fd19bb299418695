"""Where numbers come from: one file a type of provider, found by the registry."""
