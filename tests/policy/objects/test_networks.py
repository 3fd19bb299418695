"""Many networks at once hold exactly the addresses that each of them holds."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.policy.objects.networks import Networks

FOURS = st.builds(
    lambda a, n: f"10.0.{a}/{n}", st.sampled_from(["0.0", "0.7", "1.0", "255.255"]), st.integers(14, 32)
)
SIXES = st.builds(lambda a, n: f"fd00::{a}/{n}", st.sampled_from(["0", "7", "ffff"]), st.integers(110, 128))
ADDRESSES = [
    "9.255.255.255",
    "10.0.0.0",
    "10.0.0.7",
    "10.0.0.255",
    "10.0.1.0",
    "10.1.0.0",
    "fd00::",
    "fd00::7",
    "fd00::1:0",
]


@given(st.lists(FOURS | SIXES | st.sampled_from(ADDRESSES), max_size=6), st.sampled_from(ADDRESSES))
def test_an_address_is_held_where_one_of_the_networks_holds_it(texts, address):
    each = [ipaddress.ip_address(address) in ipaddress.ip_network(text, strict=False) for text in texts]
    assert Networks(texts).hold(address) is any(each)


def test_an_address_that_is_not_known_is_held_by_none():
    assert Networks(["0.0.0.0/0", "::/0"]).hold("") is False


@given(
    st.lists(st.tuples(FOURS, st.lists(FOURS | SIXES, max_size=4)), min_size=1, max_size=3),
    st.sampled_from(ADDRESSES),
)
def test_a_block_holds_what_its_exceptions_leave_wherever_those_are(given, address):
    asked = ipaddress.ip_address(address)
    inside = [
        asked in ipaddress.ip_network(cidr, strict=False)
        and not any(asked in ipaddress.ip_network(e, strict=False) for e in without)
        for cidr, without in given
    ]
    found = Networks(blocks=[{"cidr": cidr, "except": without} for cidr, without in given])
    assert found.hold(address) is any(inside)
    for version in (4, 6):
        ends = [end for span in found.ranges(version) for end in span]
        assert ends == sorted(ends)
