"""Policies of CNIs as people write them."""

from written import written

CALICO = "projectcalico.org/v3"


def cilium(place, spec):
    """A CiliumNetworkPolicy, or a clusterwide one where the place has no namespace."""
    kind = "CiliumNetworkPolicy" if "/" in place else "CiliumClusterwideNetworkPolicy"
    return written(kind, place, spec, version="cilium.io/v2")


def calico(place, spec):
    """A NetworkPolicy of Calico, or a GlobalNetworkPolicy where the place has no namespace."""
    return written("NetworkPolicy" if "/" in place else "GlobalNetworkPolicy", place, spec, version=CALICO)


def tier(name, spec):
    """A Tier of Calico."""
    return written("Tier", name, spec, version=CALICO)
