"""The objects that policies are about, and the pieces that they are made of."""
