"""Who netpol-canary is to metric providers and Git hosts: tokens that end and are made anew, requests that are signed."""
