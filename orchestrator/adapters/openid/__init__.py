"""Signing in by an OpenID provider: the code flow with PKCE, each exchange bounded, each token checked."""
