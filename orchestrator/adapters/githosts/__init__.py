"""Git hosts, one a file: commit statuses, comments, and pull requests that take a change back."""
