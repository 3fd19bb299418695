"""From a metric of a strategy to the query that a provider gets."""
