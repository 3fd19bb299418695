"""Calico: projectcalico.org/v3 policies in tiers, evaluated as Calico asks them."""
