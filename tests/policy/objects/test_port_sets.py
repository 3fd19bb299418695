"""What is said of a set of ports can be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.policy.objects import port_sets

RUN = st.tuples(st.sampled_from(sorted(port_sets.PROTOCOLS)), st.integers(1, 65000), st.integers(0, 500))


@given(st.lists(RUN, max_size=6))
def test_a_text_is_read_as_the_set_that_it_tells_of(runs):
    found = port_sets.NONE
    for protocol, first, more in runs:
        found |= port_sets.span(protocol, first, first + more)
    assert port_sets.parsed(port_sets.text(found)) == found


def test_the_whole_and_nothing_too():
    for found in (port_sets.ALL, port_sets.NONE, port_sets.span("UDP")):
        assert port_sets.parsed(port_sets.text(found)) == found


@pytest.mark.parametrize("told", ["", "whatever", "TCP x-y", "TCP 0", "TCP 9-1", "TCP 99999999"])
def test_what_is_of_another_form_stands_for_no_port(told):
    assert port_sets.parsed(told) == port_sets.NONE
