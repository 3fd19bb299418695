"""Objects as `get` shows them: their order, their columns, JSONPath, and what becomes of them."""
