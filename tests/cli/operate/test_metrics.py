"""`metrics try` shows what a source's metrics answer now and fails where a rollout cannot count on them."""

import json

import pytest
from stage import Stage

from orchestrator.cli.operate.try_metrics import plot
from orchestrator.errors import MetricError
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.metrics import MemoryMetrics

UP = m.MetricSpec(name="scrape", kind="scrape", query='sum by (namespace) (up{namespace=~"$namespaces"})')


class Broken:
    def query(self, *asked):
        raise MetricError("http://p:9090 answered 401: check the credentials that secretRef names")

    query_range = query


@pytest.fixture
def tried(cli):
    """`tried(*args, metrics=, source=)`: the command on a stage that scrapes every namespace."""

    def run(*args, metrics=(UP,), source=None):
        stage = Stage(analysis={"metrics": list(metrics), "baseline_seconds": 60})
        stage.metrics = source or MemoryMetrics()
        if source is None:
            for name in ("cart", "pay", "web"):
                stage.metrics.add("up", {"namespace": name}, stage.clock.now(), 1.0)
        return cli(stage)("metrics", "try", *args)

    return run


def test_it_shows_a_row_for_each_namespace_of_the_source_with_a_plot(tried):
    done = tried("--source", "shop")
    assert done.code == 0 and "a rollout can count on these metrics" in done.out
    rows = [line.split() for line in done.out.splitlines() if "▁" in line]
    assert [row[:2] for row in rows] == [["cart", "1"], ["pay", "1"], ["web", "1"]]


def test_a_required_metric_with_a_problem_is_exit_code_1(tried):
    done = tried("--source", "shop", source=Broken())
    assert done.code == 1
    assert "problem: http://p:9090 answered 401" in done.out
    assert "a rollout cannot count on: scrape" in done.out


def test_what_is_not_required_or_a_dry_run_is_marked_and_fails_nothing(tried):
    dry = UP.model_copy(update={"dry_run": True})
    aside = UP.model_copy(update={"name": "aside", "required": False})
    done = tried("--source", "shop", metrics=(dry, aside), source=Broken())
    assert done.code == 0
    assert "dry run: does not decide" in done.out
    assert "not required" in done.out and "answered 401" in done.out


def test_the_same_as_json_for_the_namespaces_that_are_named(tried):
    done = tried("--source", "shop", "--namespaces", "pay, nowhere", "-o", "json")
    (found,) = json.loads(done.out)["metrics"]
    assert found["namespaces"].keys() == {"pay"} and found["namespaces"]["pay"]["value"] == 1.0
    assert found["notes"] == ["nothing for nowhere"] and found["problems"] == [] and found["decides"]
    assert found["queries"] == ['sum by (namespace) (up{namespace=~"pay|nowhere"})']


def test_the_sandbox_tries_the_demos_metrics_without_a_cluster(cli):
    done = cli(Stage())("metrics", "try", "--sandbox", "--namespaces", "web", "-o", "json")
    found = {one["name"]: one for one in json.loads(done.out)["metrics"]}
    assert done.code == 0 and found["client-errors"]["namespaces"]["web"]["of"] > 1000
    assert len(found["requests"]["namespaces"]["web"]["history"]) >= 55


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["try"], "whose metrics?"),
        (["try", "--source", "nope"], "there is no PolicySource nope"),
        (["try", "--source", "shop"], "the source shop has no metrics"),
        (["try", "--sandbox", "-o", "xml"], "-o xml is not known here"),
        (["presets", "itsio"], "there is no preset itsio; take one of istio,"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(cli, args, said):
    done = cli(Stage())("metrics", *args)
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1, done


def test_presets_are_listed_and_one_is_shown_with_its_queries(cli):
    run = cli(Stage())
    listed = run("metrics", "presets").out.splitlines()
    assert listed[0].split() == ["NAME", "KINDS", "COUNTS"]
    assert {"istio", "linkerd-server", "up", "pods-ready"} <= {line.split()[0] for line in listed}
    shown = run("metrics", "presets", "hubble").out
    assert "kind: ratio, test: sequential" in shown and "  errors: sum by (namespace, pod)" in shown
    (one,) = json.loads(run("metrics", "presets", "up", "-o", "json").out)["presets"]
    assert one["kinds"] == {
        "scrape": {"threshold": {"query": 'sum by (namespace) (up{namespace=~"$namespaces"})'}}
    }


def test_a_plot_runs_from_the_least_to_the_greatest_and_shows_gaps():
    assert plot([0.0, None, 7.0]) == "▁·█ 0 to 7"
    assert plot([0.02, 0.02], ratio=True) == "▁▁ 2 % to 2 %"
    assert plot([None]) == "-"


def test_every_metrics_command_has_an_example(cli):
    from orchestrator.cli.commands.sources import metrics

    assert cli
    names = [c.name or c.callback.__name__ for c in metrics.registered_commands]
    epilogs = [c.epilog or "" for c in metrics.registered_commands]
    assert names == ["try", "presets"]
    assert all(
        e.startswith(f"Example: netpol-canary metrics {n}") for n, e in zip(names, epilogs, strict=True)
    )
