"""The program that probe pods run."""
