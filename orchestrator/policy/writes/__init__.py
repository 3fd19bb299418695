"""The order of writes that is safe after each of them."""
