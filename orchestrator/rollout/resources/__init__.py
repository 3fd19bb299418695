"""The resources of netpol-canary.dev: models, CRDs, bounds, conditions."""
