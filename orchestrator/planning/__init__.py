"""From a revision to frozen waves: the plan, its forecast, who owns what, drift, new and orphaned namespaces."""
