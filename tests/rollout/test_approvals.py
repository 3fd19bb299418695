"""Approvals bind to rollout, wave and plan; they expire; whoever wrote the change does not count."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rollout import model as m
from orchestrator.rollout.approvals import gateway, people
from orchestrator.rollout.resource import load, new

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def rollout(people, approvals=1, groups=()):
    gate = m.Gate(wave=0, approvals=approvals, groups=list(groups), expires_after_seconds=3600)
    spec = m.PolicyRolloutSpec(
        source="s",
        revision="c" * 40,
        people=people,
        strategy=m.Strategy(gates=[gate]),
        plan_digest="d",
        waves=[],
    )
    return load(new("PolicyRollout", "r", "own", spec))


def approval(user, age=60, groups=(), **other):
    fields = {"rollout": "r", "wave": 0, "plan_digest": "d", "user": user, "groups": list(groups), **other}
    obj = new("RolloutApproval", f"a-{user}", "own", m.RolloutApprovalSpec(**fields))
    obj["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return load(obj)


def is_open(given, *approvals):
    return gateway(given, 0, approvals, NOW).open


def test_one_approval_opens_and_none_does_not():
    assert not is_open(rollout(["user:ann"]))
    assert is_open(rollout(["user:ann"]), approval("eve"))
    assert gateway(rollout(["user:ann"]), 1, (), NOW).open


def test_what_does_not_count():
    given = rollout(["user:ann"], groups=["release"])
    assert is_open(given, approval("eve", groups=["release"]))
    assert not is_open(given, approval("eve", groups=["others"]))
    assert not is_open(given, approval("ann", groups=["release"]))
    assert not is_open(given, approval("eve", age=4000, groups=["release"]))
    for other in ({"rollout": "x"}, {"wave": 1}, {"plan_digest": "x"}):
        assert not is_open(given, approval("eve", groups=["release"], **other))


def test_an_unmapped_author_raises_the_quorum():
    given = rollout(people(["Ann <ann@example.com>", "Bob <bob@example.com>"], [("ANN@example.com", "ann")]))
    assert given.spec.people == ["Bob <bob@example.com>", "user:ann"]
    assert not is_open(given, approval("eve")) and is_open(given, approval("eve"), approval("mia"))


def test_a_rejection_beats_any_approval():
    found = gateway(rollout([]), 0, (approval("eve"), approval("mia", decision="reject", comment="no")), NOW)
    assert not found.open and found.rejected_by == "mia" and "no" in found.message


@given(
    users=st.lists(st.sampled_from(["ann", "eve", "mia", "joe"]), max_size=6),
    wrote=st.sets(st.sampled_from(["ann", "eve"])),
    unmapped=st.booleans(),
    needed=st.integers(1, 3),
)
def test_only_distinct_people_who_did_not_write_it_count(users, wrote, unmapped, needed):
    authors = [f"user:{u}" for u in wrote] + (["X <x@example.com>"] if unmapped else [])
    found = is_open(rollout(authors, needed), *(approval(u) for u in users))
    assert found == (len(set(users) - wrote) >= needed + unmapped)
