"""The web pages of an installation on this machine: a connection to one of its pods, signed in as whoever calls."""
