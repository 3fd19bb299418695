"""A namespace's objects from one state to another, one safe write after the other."""
