"""Tools for those who write policies: generated policies, intents, the connections worth probing."""
