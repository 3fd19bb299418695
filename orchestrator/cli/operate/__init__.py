"""An installation: put in, looked at, run, taken out."""
