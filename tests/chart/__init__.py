"""Writes the Helm chart from config/: `make chart`."""
