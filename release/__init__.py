"""What goes out with a version: how it is built, and how that is rehearsed."""
