"""A change for some pods alone: policies narrowed to a scope, and to all pods outside of it."""
