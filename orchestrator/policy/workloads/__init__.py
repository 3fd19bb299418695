"""The workloads, namespaces and policies of a set of manifests."""
