"""The commands, each with its options and an example; what they do stands in the rooms beside."""
