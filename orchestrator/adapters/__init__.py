"""The ports on real parts: Kubernetes, Git, Prometheus."""
