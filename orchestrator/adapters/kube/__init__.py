"""The Kubernetes API: objects, callers in other names, Secrets, Events, the workloads of a cluster, its CNI."""
