"""What policies mean: parse, validate, select, evaluate, order. Pure."""
