"""The policies of cilium.io, and what Cilium's engine makes of the others."""
