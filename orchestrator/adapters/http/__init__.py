"""HTTP as everything here speaks it; `client.py` is what others use."""
