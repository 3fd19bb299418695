"""The wave of what is for the whole cluster, where people look at a rollout: called so, and linked to no namespace."""

import re

from cluster_wide import OPEN, at_once, wide
from stage import DENY

from orchestrator.cli.rollouts.describe import shown
from orchestrator.cli.rollouts.plan_printed import summary
from orchestrator.context import read
from orchestrator.operations.start import find_source, start
from orchestrator.planning.planner import plan
from orchestrator.record.build import view
from orchestrator.record.report.html import page
from orchestrator.record.report.markdown import report


def test_plan_describe_report_and_pages_call_it_cluster_wide(opened, capsys):
    stage = at_once(DENY, wide_ones=[wide("open", OPEN)])
    ctx = stage.context()
    source = find_source(ctx, "shop")
    made = summary(plan(ctx, source, stage.repository.resolve()))
    assert made.startswith("3 namespaces and the whole cluster in 3 waves; ")
    site = opened(stage)
    site.name = start(ctx, source).rollout
    site.work()
    found = view(read(ctx, site.name), stage.clock.now())
    shown(found)
    assert "cluster-wide: Applied" in capsys.readouterr().out
    for text in (report(found), page(found)):
        assert re.search(r"2[^\n]*good[^\n]*cluster-wide[^\n]*Applied", text), text
    for path in ("/rollouts/NAME", "/history"):
        text = site.get(path).text
        assert "cluster-wide" in text and "/namespaces/cart" in text and "/namespaces/_cluster" not in text
