"""Tables and graphs of `reach` show entrances, too: by what they lead in, and whether policies let them pass."""

import csv

import pytest
from shop_manifests import MANIFESTS, POLICY
from stage import Stage
from written import written

ENTRANCE = written(
    "Service", "shop/NAME", "{type: LoadBalancer, selector: {app: APP}, ports: [{port: 5432}]}"
)


@pytest.fixture
def drawn(netpol, tmp_path):
    """What `reach` prints in a format: the way to web is open, that to db is shut."""
    doors = "".join(ENTRANCE.replace("NAME", f"{app}-door").replace("APP", app) for app in ("web", "db"))
    (tmp_path / "all.yaml").write_text(MANIFESTS + "---\n" + POLICY + doors)
    return lambda form, *more: netpol("reach", str(tmp_path), "-o", form, *more).out


def test_the_table_has_a_column_for_the_way_in(drawn):
    rows = list(csv.DictReader(drawn("csv").splitlines()))
    inward = [r for r in rows if r["through"]]
    assert [(r["from"], r["to"], r["ports"]) for r in inward] == [
        ("internet", "shop/db[StatefulSet]", "TCP 5432"),
        ("internet", "shop/web[Deployment]", "TCP 5432"),
    ]
    assert inward[0]["policies"].startswith("shut: ") and inward[1]["policies"] == "open"
    assert all(r["policies"] == "" for r in rows if not r["through"]) and len(rows) > 2


def test_a_graph_dashes_what_policies_shut(drawn):
    dot = [line for line in drawn("dot").splitlines() if "door" in line]
    assert [("style=dashed" in line, "db-door" in line) for line in dot] == [(True, True), (False, False)]
    mermaid = [line for line in drawn("mermaid").splitlines() if "door" in line]
    assert [("-.->" in line, "db-door" in line) for line in mermaid] == [(True, True), (False, False)]
    assert '["internet"]' in drawn("mermaid")


def test_a_question_about_one_end_draws_its_entrances_alone(drawn):
    assert "db-door" not in drawn("dot", "--to", "web") and "door" not in drawn("csv", "--from", "shop/web")


@pytest.mark.parametrize("word", ["internet", "external"])
def test_a_question_about_the_outside_draws_every_entrance(drawn, word):
    assert all(door in drawn("csv", "--from", word) for door in ("db-door", "web-door"))


@pytest.mark.parametrize("form", ["text", "json", "yaml", "csv", "dot", "mermaid"])
def test_source_ranges_of_a_balancer_are_where_its_connections_come_from(cli, tmp_path, form):
    door = ENTRANCE.replace("NAME", "door").replace("APP", "web")
    ranged = door.replace("type:", "loadBalancerSourceRanges: [192.0.2.0/26, 198.51.100.7/32], type:")
    (tmp_path / "all.yaml").write_text(MANIFESTS + "---\n" + POLICY + ranged)
    out = cli(Stage())("reach", str(tmp_path), "-o", form).out
    assert "192.0.2.0/26" in out and "198.51.100.7/32" in out and "internet" not in out
