"""Manifests as files hold them: YAML, documents with their lines, what stands twice."""
