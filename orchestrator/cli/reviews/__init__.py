"""The pull request that a CI job checks: which it is, the comment on it, and the files that the job hands on."""
