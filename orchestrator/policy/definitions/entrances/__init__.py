"""What comes in from outside the cluster, and by which proxies."""
