"""The port Prober on Kubernetes Jobs."""
