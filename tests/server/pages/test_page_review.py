"""Who decides sees which connections change, by which rule and line; risk takes a reason, and a no is asked for twice."""

import re

import pytest
from risky import risky

from orchestrator.context import APPROVAL, ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import start
from orchestrator.rollout.resources import model as m

PAGE = "/rollouts/NAME/approve"


@pytest.fixture
def site(opened):
    """A change that opens the database to the internet waits before its canary."""
    stage = risky(gates=[m.Gate(wave=0)])
    found = opened(stage)
    ctx = stage.context()
    found.name = start(ctx, stage.shop()).rollout
    Embedded(ctx, "test").drive(found.name)
    return found


def sent(site, decision, **more):
    given = dict(re.findall(r'name="(wave|plan)" value="([^"]*)"', site.get(PAGE).text))
    return site.post(PAGE, decision=decision, **given, **more)


def recorded(site):
    return [o["spec"] for o in site.stage.cluster.list(APPROVAL)]


def test_this_wave_s_connections_stand_first_with_rule_file_and_line(site):
    text = site.get(PAGE).text
    now, later = text.split("Which connections change")[1].split("<details", 1)
    assert "internet" in now and "cart/a[Pod]" in now and "opened" in now and "5432" in now
    assert "NetworkPolicy cart/into ingress[0] (all.yaml:1)" in now
    assert "web/a[Pod]" not in now and "more with wave 1" in later and "web/a[Pod]" in later


def test_an_approval_of_high_risk_without_a_reason_is_refused_and_with_one_recorded(site):
    assert "required" in site.get(PAGE).text
    for comment in ("", "  "):
        answer = sent(site, "approve", comment=comment)
        assert answer.status_code == 400 and "high risk: approving it takes a reason" in answer.text
    assert recorded(site) == []
    assert sent(site, "approve", comment="asked the team").status_code == 303
    assert [s["comment"] for s in recorded(site)] == ["asked the team"]
    assert "asked the team" in site.get("/rollouts/NAME").text


def test_a_no_is_recorded_once_it_was_confirmed_on_a_second_page(site):
    asked = sent(site, "reject", comment="<b>never</b>")
    assert asked.status_code == 200 and "Reject the canary of" in asked.text and recorded(site) == []
    assert "&lt;b&gt;never&lt;/b&gt;" in asked.text and "nothing has to be restored" in asked.text
    again = sent(site, "reject", **dict(re.findall(r'name="(confirm)" value="([^"]*)"', asked.text)))
    assert again.status_code == 303 and [s["decision"] for s in recorded(site)] == ["reject"]


def test_a_no_with_another_word_of_confirmation_is_none(site):
    assert sent(site, "reject", confirm="approve").status_code == 400 and recorded(site) == []


def test_a_rollout_of_an_older_version_says_that_they_are_not_known(site):
    old = site.stage.cluster.get(ROLLOUT, site.name, "netpol-canary")
    spec = {k: v for k, v in old["spec"].items() if k not in ("edges", "subject")}
    spec["waves"] = [{k: v for k, v in w.items() if k != "connections"} for w in spec["waves"]]
    site.stage.cluster.vouches = False
    site.stage.cluster.replace({**old, "spec": spec})
    assert "They are not known" in site.get(PAGE).text
