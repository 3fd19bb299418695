"""What stands beside a commit and below a pull request; nothing that others wrote is markup there."""

from datetime import UTC, datetime
from itertools import product
from typing import get_args

from receivers import BASE, asking
from stage import Stage, work

from orchestrator.rollout.next import State
from orchestrator.rollout.notifications import feedback, texts
from orchestrator.rollout.resources import model as m

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def entry(phase, reason, wave=0, waves_started=0, message="why"):
    return m.Outgoing(
        id="u/1",
        time=NOW,
        phase=phase,
        reason=reason,
        message=message,
        wave=wave,
        waves_started=waves_started,
        to=["statuses"],
    )


def said(*entries):
    return {line.context.rpartition("shop")[2]: line.state for line in feedback.lines("shop", entries)}


def test_a_wave_and_the_whole_have_statuses_of_their_own():
    assert said(entry("Progressing", "Planned")) == {"": "pending"}
    assert said(entry("Progressing", "WaveStarted", 1, 2)) == {"/wave-1": "pending", "": "pending"}
    assert said(entry("Progressing", "Promoted", 0, 1)) == {"/wave-0": "success", "": "pending"}
    assert said(entry("Paused", "ApprovalRequired", 1, 1)) == {"/wave-1": "pending", "": "pending"}
    assert said(entry("Succeeded", "Succeeded", 1, 2)) == {"/wave-1": "success", "": "success"}
    assert said(entry("RollingBack", "Regression", 1, 2)) == {"/wave-1": "failure", "": "pending"}
    assert said(entry("RollingBack", "Rejected", 1, 1)) == {"": "pending"}
    assert said(entry("RolledBack", "RolledBack", 1, 2)) == {
        "/wave-0": "failure",
        "/wave-1": "failure",
        "": "failure",
    }
    assert said(entry("Failed", "Failed", 0, 1)) == {"/wave-0": "failure", "": "failure"}


def test_of_many_only_the_latest_of_a_context_is_left():
    steps = [entry("Progressing", "WaveStarted", 0, 1), entry("Progressing", "Promoted", 0, 1)]
    steps += [entry("Progressing", "WaveStarted", 1, 2), entry("RolledBack", "RolledBack", 1, 2)]
    assert said(*steps) == {"/wave-0": "failure", "/wave-1": "failure", "": "failure"}


def test_a_description_fits_and_is_one_line():
    (line,) = feedback.lines(
        "shop", [entry("Progressing", "Planned", message="a b\x07 " + "long " * 60 + "\nmore")]
    )
    assert len(line.description) == 140
    assert line.description.startswith("a b long") and line.description.endswith("…")


def played(good):
    return work(asking(Stage(good)).context(), "one")


def test_the_comment_shows_risk_waves_and_how_it_ended():
    text = feedback.comment(played(True), f"{BASE}/rollouts/x")
    assert text.startswith("<!-- netpol-canary:") and "### netpol-canary: promoted everywhere" in text
    assert f"({BASE}/rollouts/x)" in text and "**Risk " in text
    assert "| 0 | cart | ✅ promoted |" in text and "| 1 | pay, web | ✅ promoted |" in text


def test_the_comment_of_a_rollback_says_why():
    state = played(False)
    text = feedback.comment(state, "")
    assert "rolled back, everything restored within 1 s" in text
    assert "| 0 | cart | ↩️ restored |" in text and "| 1 | pay, web | — not reached |" in text
    assert "\n> " in text
    title, body = feedback.way_back(state.rollout, BASE)
    assert title == "Revert the policies of cccccccccc, which were rolled back" and BASE in body


HOSTILE = "@ann closes #12 fixes GH-13\n\n# big <script>alert(1)</script> [x](http://x.example.com) `a` | b --> ![i](y)"


def test_what_others_wrote_is_no_markup_calls_nobody_and_closes_nothing():
    state = played(False)
    spec = state.rollout.spec.model_copy(update={"risk_reasons": [HOSTILE], "boundaries": [HOSTILE]})
    status = state.rollout.status.model_copy(update={"reason": HOSTILE})
    rollout = type(state.rollout)(state.rollout.manifest, spec, status)
    for text in (feedback.comment(State(rollout), ""), feedback.way_back(rollout, "")[1]):
        body = text.partition("-->")[2]
        for sign in ("@ann", "#12", "GH-13", "<script", "-->", "](http", "http://x", " | b"):
            assert sign not in body.replace("\\|", ""), sign


def test_a_message_names_what_where_who_and_when_and_calls_nobody():
    state = played(False)
    told = texts.text(state.rollout, state.rollout.status.outbox[-1], BASE)
    assert told.title == "netpol-canary: shop: rolled back"
    assert "wave 0 (cart), opened at " in told.body and "Everything is restored within 1 s." in told.body
    assert "Commit cccccccccc by Ann ‹ann@" in told.body and "@example" not in told.body
    assert "To do: fix the commit and merge, or `netpol-canary retry shop`" in told.body
    assert told.link == f"{BASE}/rollouts/shop-cccccccccc/why" and told.label == "Why, and what to do next"
    calls = entry("Paused", "ApprovalRequired", message="<!channel> @here")
    told = texts.text(state.rollout, calls, BASE)
    assert "<" not in told.body and "@here" not in told.body
    assert told.link.endswith("/approve") and told.label == "Review and decide"
    assert texts.text(state.rollout, calls, "").link == "" and told.small.endswith("id u/1")


def test_each_message_fits_one_screen_and_says_what_stands_and_what_to_do():
    state = played(False)
    long, phases = "\n".join(["a long line, " * 100] * 50), get_args(m.RolloutPhase)
    for phase, reason in product(phases, [*texts._WHAT, "Superseded", "Regression"]):
        told = texts.text(state.rollout, entry(phase, reason, message=long[:800]), BASE)
        assert len(told.title) <= 140 and len(told.body) <= 2800 and len(told.body.splitlines()) <= 24
        assert told.link.startswith(f"{BASE}/rollouts/")
        _, known, to_do = told.body.split("\n\n")
        assert to_do.startswith("To do: ") and to_do.endswith(".")
        assert any(word in known for word in ("restored", "stands", "written"))
