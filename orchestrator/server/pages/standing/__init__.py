"""What stands: the sources, and the namespaces that they write to."""
