"""The netpol-canary command."""
