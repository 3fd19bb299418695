"""A wave as an Argo Workflow: what is installed once, what the controller submits, and what its pods run."""
