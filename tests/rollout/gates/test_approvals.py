"""Approvals bind to rollout, wave and plan; they expire; whoever wrote the change does not count."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rollout.gates.approvals import gates, gateway, people
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def rollout(people, approvals=1, groups=(), more=()):
    gate = m.Gate(wave=0, approvals=approvals, groups=list(groups), expires_after_seconds=3600)
    spec = m.PolicyRolloutSpec(
        source="s",
        revision="c" * 40,
        authors=people,
        strategy=m.Strategy(gates=[gate, *more]),
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


def test_who_is_called_as_if_mapped_raises_the_quorum_all_the_same():
    for name in ("user:nobody <ann@example.com>", "user:eve", "user:" + "x" * 5000):
        given = rollout(people([name], [("bob@example.com", "bob")]))
        assert not is_open(given, approval("ann")) and is_open(given, approval("ann"), approval("mia"))
        assert not given.spec.authors[0].startswith("user:")


def test_an_unmapped_author_raises_the_quorum():
    given = rollout(people(["Ann <ann@example.com>", "Bob <bob@example.com>"], [("ANN@example.com", "ann")]))
    assert given.spec.authors == ["Bob <bob@example.com>", "user:ann"]
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


SECURITY = m.Gate(wave=0, name="security", approvals=2, groups=["security"], expires_after_seconds=600)


def test_every_gate_of_a_wave_must_open():
    given = rollout([], more=[SECURITY, m.Gate(wave=1)])
    ann, bob = (approval(u, groups=["security", "staff"]) for u in ("ann", "bob"))
    assert not is_open(given, ann) and not is_open(given, ann, approval("eve"), approval("mia"))
    assert is_open(given, ann, bob)
    said = "wave 0: 1 of 1 approval (ann); security: 1 of 2 approvals from security (ann)"
    assert gateway(given, 0, (ann,), NOW).message == said


def test_what_a_gate_says_of_itself():
    given = rollout(["user:ann", "X <x@example.com>"], more=[SECURITY])
    said = [
        approval("ann", groups=["security"]),
        approval("bob", age=500, groups=["security", "staff"], comment="fine"),
        approval("eve", age=700, groups=["security"]),
        approval("joe"),
        approval("mia", plan_digest="older", groups=["security"]),
        approval("zoe", wave=1),
    ]
    first, second = gates(given, 0, said, NOW)
    assert (first.needed, first.unmapped, first.missing, first.open) == (2, 1, 0, True)
    assert [v.user for v in first.given] == ["eve", "bob", "joe"]
    # then only joe is left of the two that it takes
    assert first.expires == NOW + timedelta(seconds=3600 - 500)
    assert (second.name, second.needed, second.missing, second.open) == ("security", 3, 2, False)
    (bob,) = second.given
    assert (bob.user, bob.groups, bob.comment) == ("bob", ("security",), "fine")
    assert second.expires == bob.expires == NOW + timedelta(seconds=100)
    assert {v.user: v.why for v in second.ignored} == {
        "ann": "wrote the change",
        "eve": "has expired",
        "joe": "is not in security",
        "mia": "is for another plan",
    }
    assert second.barred == ("ann",) and gates(given, 1, said, NOW) == ()


def test_a_second_approval_renews_the_first():
    (gate,) = gates(rollout([]), 0, [approval("eve", age=3000), approval("eve", age=60)], NOW)
    assert len(gate.given) == 1 and gate.expires == NOW + timedelta(seconds=3540)


def test_what_was_said_before_the_rollout_began_does_not_count():
    given = rollout([])
    given.manifest["metadata"]["creationTimestamp"] = "2026-01-05T08:59:30Z"
    no = approval("mia", age=40, decision="reject")
    assert not is_open(given, approval("eve", age=40)) and is_open(given, approval("eve", age=30), no)


def test_a_broken_glass_stands_for_the_whole_quorum_until_it_expires():
    given = rollout(["user:ann", "X <x@example.com>"], more=[SECURITY])
    glass = approval("ann", break_glass=True, comment="all is down")
    found = gateway(given, 0, (glass,), NOW)
    assert found.open and found.broken_by == "ann" and "ann broke the glass: all is down" in found.message
    assert not gateway(given, 0, (glass,), NOW + timedelta(seconds=600)).open
    assert gateway(given, 0, (glass, approval("mia", decision="reject")), NOW).rejected_by == "mia"
    enough = rollout([])
    assert gateway(enough, 0, (approval("ann", break_glass=True), approval("eve")), NOW).broken_by == ""


def test_an_author_may_reject_an_own_change():
    assert gateway(rollout(["user:ann"]), 0, (approval("ann", decision="reject"),), NOW).rejected_by == "ann"


def test_authors_who_are_too_many_to_name_raise_the_quorum():
    mails = [f"P <p{n}@example.com>" for n in range(250)]
    known = people(mails, [(f"p{n}@example.com", f"p{n}") for n in range(250)])
    assert len(known) == 200 and known[-1] == "51 more"
    assert not is_open(rollout(known), approval("eve"))
    assert is_open(rollout(known), approval("eve"), approval("mia"))
    mixed = people(["A <a@example.com>", *mails], [("p7@example.com", "p7")])
    assert mixed[0] == "user:p7" and mixed[-1] == "52 more"


def test_who_has_two_users_counts_with_neither():
    known = people(["Ann <ann@example.com>"], [("ann@example.com", "ann"), ("Ann@example.com", "oidc:ann")])
    assert known == ["user:ann", "user:oidc:ann"]
    found = gateway(rollout(known), 0, [approval("ann"), approval("oidc:ann")], NOW)
    assert not found.open and "0 of 1" in found.message
