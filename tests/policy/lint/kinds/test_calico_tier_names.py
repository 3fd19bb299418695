"""lint finds Calico policies of a tier that does not exist."""

from cni_policies import calico, tier
from linted import linted, rules
from written import pod

PODS = pod("shop/web") + pod("shop/db")
SECURITY = tier("security", "{order: 1}")
SPEC = "{tier: TIER, selector: app == 'db', ingress: [{action: Allow}]}"


def found(name, *more):
    return rules(PODS, calico("shop/db", SPEC.replace("TIER", name)), *more)


def test_a_tier_that_is_not_there_is_found_where_tiers_are():
    assert found("securty", SECURITY) == ["NPC033"]
    (one,) = linted("NPC033", PODS, SECURITY, calico("shop/db", SPEC.replace("TIER", "securty")))
    assert one.message == 'spec.tier: there is no tier "securty"' and one.fix == "did you mean security?"
    assert one.subject == "Calico NetworkPolicy shop/db"


def test_tiers_that_are_there_in_every_cluster_or_unknown_are_right():
    for name in ("security", "default", "kube-admin", "adminnetworkpolicy"):
        assert found(name, SECURITY) == []
    assert found("securty") == []
