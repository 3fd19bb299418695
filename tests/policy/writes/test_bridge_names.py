"""A bridge is a NetworkPolicy of Kubernetes with this product's name, and nothing of another API."""

import pytest
from cni_policies import CALICO
from written import plain

from orchestrator.policy.writes.bridges import bridge_name, bridge_tag

NAME = f"shop/{bridge_name('0123456789', 1)}"


@pytest.mark.parametrize(
    ("obj", "tag"),
    [
        (plain("NetworkPolicy", NAME), "0123456789"),
        ({"metadata": plain("NetworkPolicy", NAME)["metadata"]}, "0123456789"),
        (plain("NetworkPolicy", NAME, version=CALICO), ""),
        (plain("CiliumNetworkPolicy", NAME, version="cilium.io/v2"), ""),
        (plain("NetworkPolicy", "shop/netpol-canary-bridge-1"), ""),
    ],
)
def test_a_bridge_is_known_by_its_name_its_kind_and_its_api(obj, tag):
    assert bridge_tag(obj) == tag
