"""What a rollout changes is said where people decide, bounded, and harmless whatever workloads and rules are called."""

from datetime import UTC, datetime, timedelta

from orchestrator.rollout.notifications import feedback, texts
from orchestrator.rollout.notifications.connection_words import line, listed
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.rollout.state import State

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def edge(number=0, **given):
    known = {"source": f"shop/c{number}[Deployment]", "destination": "shop/db[StatefulSet]", "change": "cut"}
    rule = "after, Ingress: NetworkPolicy shop/db ingress[0] (shop/db.yaml:9)"
    known |= {"before": "TCP 5432", "after": "none", "because": ["before, Ingress: x (the cluster:1)", rule]}
    return m.WaveEdge(**{**known, **given})


def rollout(edges, total, **given):
    names = [m.WaveNamespace(name="shop", before="sha256:1", after="sha256:2")]
    wave = m.Wave(namespaces=names, connections=total)
    spec = m.PolicyRolloutSpec(
        source="shop",
        revision="c" * 40,
        strategy=m.Strategy(),
        plan_digest="sha256:1",
        waves=[wave],
        edges=edges,
        **{"risk": "high", "risk_reasons": ["7 connections cut"], "subject": "Close the database", **given},
    )
    return load(new("PolicyRollout", "shop-1", "netpol-canary", spec))


def said(of, reason="ApprovalRequired", **given):
    known = {
        "phase": "Paused",
        "message": "wave 0: 0 of 1 approvals",
        "severity": "warning",
        "to": ["notify/x"],
    }
    entry = m.Outgoing(id="u/1", time=NOW, reason=reason, **{**known, **given})
    return texts.text(of, entry, "https://canary.example.com").body


def test_a_gate_that_waits_tells_what_is_to_be_decided():
    text = said(rollout([edge(n) for n in range(7)], 7))
    assert "Close the database" in text and "high risk: 7 connections cut" in text
    assert "cut: shop/c0[Deployment] to shop/db[StatefulSet] on TCP 5432" in text and "db.yaml:9" in text
    assert text.count("cut: ") == texts.MOST_EDGES and "and 2 more" in text
    assert "waits without end until enough people approve" in text


def test_an_unclear_wave_tells_until_when_a_person_has_time():
    of = rollout([], 0)
    seconds = of.spec.strategy.analysis.inconclusive_seconds
    end = f"{NOW + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} UTC"
    assert f"waits until {end}" in said(of, "Inconclusive", waves_started=1)
    # nothing is written, so nothing presses
    assert "waits until" not in said(of, "Inconclusive", waves_started=0)


def test_other_messages_stay_as_short_as_they_were():
    assert "Connections" not in said(rollout([edge()], 1), "Promoted", phase="Progressing")


def test_nothing_in_a_message_calls_somebody_or_is_a_tag():
    evil = edge(source="<@here>", because=["after, Ingress: @all (a<b>.yaml:1)"])
    text = said(rollout([evil], 1, subject="@channel <!x>", risk_reasons=["<b>@me"]))
    assert not any(word in text for word in ("@here", "@all", "@channel", "@me", "<"))


def test_the_comment_on_the_pull_request_lists_them_with_the_rule_and_counts_the_rest():
    text = feedback.comment(State(rollout([edge(n) for n in range(60)], 4000)), "")
    assert "Connections that change: 4000" in text and "and 3970 more" in text
    assert text.count("db.yaml:9") == feedback.MOST_CONNECTIONS and "| 0 | cut |" in text
    assert len(text) <= feedback.MOST_BODY


def test_a_table_in_the_comment_is_broken_by_no_name():
    text = feedback.comment(State(rollout([edge(source="a|b\n| c")], 1)), "")
    (row,) = [one for one in text.splitlines() if "cut" in one and one.startswith("| 0 |")]
    assert row.replace("\\|", "").count("|") == 7


def test_narrowed_and_widened_say_both_sides_and_an_unknown_word_is_none():
    found = edge(change="narrowed", before="TCP 80,443", after="TCP 443")
    assert line(found).startswith("narrowed: ") and "on TCP 80,443 → TCP 443" in line(found)
    assert "on all → TCP 8080" in line(edge(before="all", after="TCP 8080"))  # cut: one that was used is lost
    assert line(edge(change="")).startswith("changed: ")


def test_where_no_rule_stands_in_a_file_the_cluster_s_is_named_without_a_place():
    assert line(edge(because=["before, Ingress: NetworkPolicy a/b (the cluster:1)"])).endswith("a/b")
    assert listed([], 3, 5) == ["and 3 more"] and listed([edge()], 1, 5) == [line(edge())]
