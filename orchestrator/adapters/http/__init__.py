"""HTTP with bounds, as everything here speaks it: bytes, seconds, redirects, credentials."""
