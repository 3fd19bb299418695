"""What is probably wrong with policies of other kinds than NetworkPolicy: one file a kind of finding."""
