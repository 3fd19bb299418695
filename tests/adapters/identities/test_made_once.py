"""What is kept: made once, within a bound, and never a failure."""

import pytest

from orchestrator.adapters.identities.made_once import MadeOnce
from orchestrator.errors import IdentityError


def test_of_too_many_the_one_goes_that_was_asked_for_the_longest_ago():
    made, kept = [], MadeOnce[str](most=2)

    def ask(key):
        return kept.get(key, lambda: made.append(key) or key.upper())

    assert [ask(key) for key in "abacabb"] == list("ABACABB")
    assert made == list("abcb")


def test_a_failure_is_not_kept():
    kept = MadeOnce[str]()

    def fail():
        raise IdentityError("not now")

    with pytest.raises(IdentityError):
        kept.get("a", fail)
    assert kept.get("a", lambda: "A") == "A"
