"""netpol-canary: canary rollouts for Kubernetes network policies."""

__version__ = "0.1.0.dev0"
