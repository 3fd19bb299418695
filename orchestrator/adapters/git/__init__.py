"""Git repositories and plain directories: what they hold, at signed revisions, built where they are kustomized."""
