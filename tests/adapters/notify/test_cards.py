"""What Slack and Teams are sent keeps to their limits, and shows what others wrote as it is."""

import json

from apprise import Apprise

from orchestrator.adapters.notify.apprise_child import _draw
from orchestrator.adapters.notify.cards import blocks, card

HOSTILE = "*bold* _it_ `code` [click](http://evil) <!channel> <at>all</at> & ~no~"
PAGE = "https://rollouts.example.com/rollouts/shop-1/approve?a=1&b=2"
GIVEN = {
    "title": "netpol-canary: shop: waits for approval",
    "body": f"wave 1: 0 of 1 approval\n\n{HOSTILE}\nsecond line\n\nTo do: approve it.",
    "small": "2026-01-05 09:12:44 UTC, id u/7",
    "link": PAGE,
    "label": "Review and decide",
    "severity": "warning",
}
LONG = {**GIVEN, "title": "t" * 300, "body": "\n\n".join(["x" * 5000, "y" * 5000]), "small": "z" * 400}


def texts(node):
    """Every text element below, with its type."""
    if isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def test_slack_gets_blocks_within_the_limits_of_block_kit():
    for given in (GIVEN, LONG):
        found = blocks(given)["blocks"]
        assert found[0]["type"] == "header" and len(found) <= 50
        assert len(found[0]["text"]["text"]) <= 150
        assert all(len(t["text"]) <= 3000 for t in texts(found))


def test_slack_shows_what_others_wrote_as_plain_text_and_links_the_page():
    found = blocks(GIVEN)["blocks"]
    marked = [t for t in texts(found) if t["type"] == "mrkdwn"]
    assert [t["text"] for t in marked] == [f"*<{PAGE.replace('&', '&amp;')}|Review and decide>*"]
    assert any(t["type"] == "plain_text" and HOSTILE in t["text"] for t in texts(found))


def test_teams_gets_an_adaptive_card_that_knows_no_markup_but_a_button():
    for given in (GIVEN, LONG):
        whole = card(given)
        content = whole["attachments"][0]["content"]
        assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
        assert {part["type"] for part in content["body"]} == {"RichTextBlock"}
        assert all(
            run["type"] == "TextRun" and "\n" not in run["text"] and run["text"]
            for run in texts(content["body"])
        )
        assert content["actions"] == [{"type": "Action.OpenUrl", "title": "Review and decide", "url": PAGE}]
        assert len(json.dumps(whole)) < 28 * 1024
    assert "actions" not in card({**GIVEN, "link": ""})["attachments"][0]["content"]


def test_apprise_sends_our_card_to_teams(monkeypatch):
    plugin, sent = _plugin("workflows://host:443/abc/signature"), []
    monkeypatch.setattr("requests.post", lambda url, data, **more: sent.append(json.loads(data)) or _Answer())
    assert _sent(plugin, "workflows")
    assert sent == [card(GIVEN)]


def test_apprise_sends_our_blocks_to_slack(monkeypatch):
    plugin, sent = _plugin("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"), []
    monkeypatch.setattr(
        "requests.request", lambda *to, data, **more: sent.append(json.loads(data)) or _Answer()
    )
    assert _sent(plugin, "slack")
    assert sent[0]["attachments"] == [blocks(GIVEN)]


def test_an_address_with_a_template_of_its_own_keeps_it(tmp_path):
    template = tmp_path / "t.json"
    template.write_text("{}")
    plugin = _plugin(f"workflows://host:443/abc/signature?template={template}")
    known = plugin.gen_payload
    _draw("workflows", plugin, GIVEN)
    assert plugin.gen_payload == known


class _Answer:
    status_code, content, text = 200, b"ok", "ok"

    def json(self):
        return {"ok": True}


def _plugin(url):
    return Apprise.instantiate(url)


def _sent(plugin, scheme):
    _draw(scheme, plugin, GIVEN)
    return plugin.notify(body=GIVEN["body"], title=GIVEN["title"])
