"""What is probably wrong with policies: one file a kind of finding."""
