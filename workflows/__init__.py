"""A wave as an Argo Workflow, built with hera."""
