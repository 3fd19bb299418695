"""What is to be told, to whom, and what goes first where too much waits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import BadInput
from orchestrator.rollout import outbox
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOST = m.Feedback(host="github", repository="shop/policies", secret_ref="host", revert=True)


def spec(**fields):
    return m.PolicyRolloutSpec(
        source="shop",
        revision="c" * 40,
        strategy=m.Strategy(),
        plan_digest="d",
        waves=[],
        **{"feedback": HOST, **fields},
    )


def moved(phase, reason, minutes=0):
    time = NOW + timedelta(minutes=minutes)
    return m.Transition(time=time, actor="netpol-canary", phase=phase, reason=reason, message="why")


def told(given, *transitions):
    """The outbox after these transitions."""
    status = m.PolicyRolloutStatus()
    for item in transitions:
        status.phase = item.phase
        status.transitions = [*status.transitions, item]
        status.notification_sequence, status.outbox = outbox.posted(given, "uid", status, item, 0)
    return status.outbox


def names(entries):
    return [e.to for e in entries]


def test_each_thing_to_tell_has_an_id_of_its_own():
    found = told(spec(), moved("Progressing", "Planned"), moved("Progressing", "WaveStarted"))
    assert [e.id for e in found] == ["uid/1", "uid/2"]
    assert [e.reason for e in found] == ["Planned", "WaveStarted"]


def test_who_asks_for_nothing_is_told_what_a_person_must_act_on():
    given = spec(feedback=None, notifications=[m.Notification(name="oncall", secret_ref="x")])
    steps = [("Progressing", "Planned"), ("Paused", "ApprovalRequired"), ("Progressing", "Approved")]
    steps += [("RollingBack", "Regression"), ("RolledBack", "RolledBack")]
    found = told(given, *(moved(*s) for s in steps))
    assert [e.reason for e in found] == ["ApprovalRequired", "Regression", "RolledBack"]
    assert [e.severity for e in found] == ["warning", "critical", "warning"]


def test_a_receiver_chooses_by_group_by_reason_and_by_weight():
    chosen = [
        m.Notification(name="chat", secret_ref="x", events=["all"]),
        m.Notification(name="mail", secret_ref="x", events=["TakenOver", "WaveStarted", "succeeded"]),
        m.Notification(name="pager", secret_ref="x", events=["all"], min_severity="critical"),
    ]
    steps = [("Progressing", "WaveStarted"), ("RollingBack", "ObserverLost"), ("Progressing", "TakenOver")]
    found = told(spec(feedback=None, notifications=chosen), *(moved(*s) for s in steps))
    assert names(found) == [["notify/chat", "notify/mail"], ["notify/chat", "notify/pager"]]


@pytest.mark.parametrize(
    ("began", "previous", "asked"),
    [("Regression", "b" * 40, True), ("Superseded", "b" * 40, False), ("Regression", "c" * 40, False)],
)
def test_git_is_asked_to_take_back_only_what_did_harm_there(began, previous, asked):
    steps = [
        moved("RollingBack", began),
        moved("RollingBack", "TakenOver"),
        moved("RolledBack", "RolledBack"),
    ]
    found = told(spec(previous_revision=previous), *steps)
    assert ("revert" in found[-1].to) is asked


def test_the_oldest_of_the_least_weight_goes_first_and_the_end_never():
    steps = [moved("Succeeded", "Succeeded")]
    steps += [moved("Paused" if n % 2 else "Progressing", "WaveStarted", n) for n in range(80)]
    found = told(spec(), *steps, moved("Failed", "Failed"))
    assert len(found) == outbox.MOST_KEPT
    assert found[0].phase == "Succeeded" and found[-1].phase == "Failed"
    assert sum(e.severity == "warning" for e in found) == 40
    assert found[-2].time == NOW + timedelta(minutes=79)


def test_what_was_told_to_one_still_waits_for_the_others():
    chat = m.Notification(name="chat", secret_ref="x", events=["all"])
    found = told(
        spec(notifications=[chat]), moved("Progressing", "WaveStarted"), moved("Progressing", "WaveStarted")
    )
    left = outbox.without(found, {"uid/1"}, "statuses")
    assert names(left) == [["notify/chat"], ["statuses", "notify/chat"]]
    assert names(outbox.without(left, {"uid/1"}, "notify/chat")) == [["statuses", "notify/chat"]]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"notifications": [{"name": "a", "secretRef": "x", "events": ["rolledback"]}]},
            "no event 'rolledback'",
        ),
        ({"notifications": [{"name": "a", "secretRef": "x"}] * 2}, "the name a stands twice"),
        ({"feedback": {"host": "github", "repository": "../x", "secretRef": "x"}}, "is not owner/name"),
        ({"feedback": {"host": "gitea", "repository": "a/b", "secretRef": "x"}}, "gitea needs apiUrl"),
        (
            {"feedback": {"host": "gitlab", "repository": "a/b/c", "secretRef": "x", "revert": True}},
            "revert is not possible on gitlab",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_one_line(fields, said):
    manifest = {"apiVersion": m.API_VERSION, "kind": "PolicySource", "metadata": {"name": "shop"}}
    given = {"git": {"url": "/r"}, "namespaces": {}, **fields}
    with pytest.raises(BadInput, match=said):
        load({**manifest, "spec": given})


def test_every_event_and_every_field_is_described():
    docs = Path(__file__).parents[2] / "docs"
    people, host = ((docs / name).read_text() for name in ("notifications.md", "git-hosts.md"))
    assert [e for e in m.EVENT_GROUPS if f"`{e}`" not in people] == []
    for model, text in ((m.Notification, people), (m.Feedback, host)):
        assert [f.alias for f in model.model_fields.values() if str(f.alias) not in text] == []


def test_a_doubt_about_approvals_is_told_to_those_who_approve():
    assert "approval" in outbox.groups("Paused", "ApprovalsUnproven")
    assert outbox.severity("Progressing", "BreakGlass") == "warning"
