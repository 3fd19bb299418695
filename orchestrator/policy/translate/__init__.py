"""Policies of one API in the words of another."""
