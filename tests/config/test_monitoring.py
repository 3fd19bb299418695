"""Alerts ask for metrics that exist, each has its runbook, and Prometheus' own checker takes and tries them."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from patience import ran
from prometheus_client import generate_latest

from orchestrator.engine.instruments import GuardInstruments, Instruments

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "config/monitoring"
RULES = yaml.safe_load((MONITORING / "rules.yaml").read_text())["spec"]
ALERTS = {rule["alert"]: rule for rule in RULES["groups"][0]["rules"]}
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["site_url"]
BOARD = json.loads(yaml.safe_load((MONITORING / "dashboard.yaml").read_text())["data"]["netpol-canary.json"])
# For each alert: series with values minute by minute that raise it, and some that do not.
TRIALS = {
    "NetpolCanaryRolloutFailed": (
        {'netpol_canary_rollouts{source="shop",phase="Failed"}': "1x60"},
        {'netpol_canary_rollouts{source="shop",phase="Failed"}': "0x60"},
    ),
    "NetpolCanaryRollbackStuck": (
        {'netpol_canary_rollouts{source="shop",phase="RollingBack"}': "1x60"},
        {'netpol_canary_rollouts{source="shop",phase="RollingBack"}': "0x50 1x5 0x5"},
    ),
    "NetpolCanaryRolledBack": (
        {"netpol_canary_restore_seconds_count": "0x50 1x10"},
        {"netpol_canary_restore_seconds_count": "1x60"},
    ),
    "NetpolCanaryRolloutPaused": (
        {'netpol_canary_rollouts{source="shop",phase="Paused"}': "2x70"},
        {'netpol_canary_rollouts{source="shop",phase="Paused"}': "0x40 1x20"},
    ),
    "NetpolCanaryEmergency": (
        {'netpol_canary_emergency_rollouts{source="shop"}': "1x60"},
        {'netpol_canary_emergency_rollouts{source="shop"}': "0x60"},
    ),
    "NetpolCanaryRolloutUnclear": (
        {'netpol_canary_paused_rollouts{source="shop",reason="drift"}': "1x60"},
        {
            'netpol_canary_paused_rollouts{source="shop",reason="approval"}': "1x60",
            'netpol_canary_paused_rollouts{source="shop",reason="inconclusive"}': "0x50 1x10",
        },
    ),
    "NetpolCanaryRestoreSlow": (
        {
            'netpol_canary_restore_seconds_bucket{le="60"}': "0x60",
            'netpol_canary_restore_seconds_bucket{le="120"}': "0x30 5x30",
            'netpol_canary_restore_seconds_bucket{le="+Inf"}': "0x30 5x30",
        },
        {
            'netpol_canary_restore_seconds_bucket{le="60"}': "0x30 5x30",
            'netpol_canary_restore_seconds_bucket{le="120"}': "0x30 5x30",
            'netpol_canary_restore_seconds_bucket{le="+Inf"}': "0x30 5x30",
        },
    ),
    "NetpolCanaryControllerDown": ({}, {'netpol_canary_reconciles_total{outcome="ok"}': "0+20x60"}),
    "NetpolCanaryRoundsFailing": (
        {
            'netpol_canary_reconciles_total{outcome="ok"}': "0+1x60",
            'netpol_canary_reconciles_total{outcome="error"}': "0+9x60",
        },
        {
            'netpol_canary_reconciles_total{outcome="ok"}': "0+9x60",
            'netpol_canary_reconciles_total{outcome="error"}': "0+1x60",
        },
    ),
    "NetpolCanaryApiErrors": (
        {
            'netpol_canary_api_calls_total{outcome="ok"}': "0+50x60",
            'netpol_canary_api_calls_total{outcome="503"}': "0+50x60",
        },
        {
            'netpol_canary_api_calls_total{outcome="ok"}': "0+50x60",
            'netpol_canary_api_calls_total{outcome="503"}': "0+1x60",
            'netpol_canary_api_calls_total{outcome="409"}': "0+20x60",
        },
    ),
    "NetpolCanaryDenied": (
        {'netpol_canary_api_calls_total{outcome="403",kind="NetworkPolicy"}': "0+1x60"},
        {'netpol_canary_api_calls_total{outcome="403",kind="RolloutApproval"}': "0+1x60"},
    ),
    "NetpolCanaryDeliveriesFailing": (
        {'netpol_canary_deliveries_total{outcome="failed",kind="statuses"}': "0+1x60"},
        {'netpol_canary_deliveries_total{outcome="sent",kind="statuses"}': "0+1x60"},
    ),
    "NetpolCanaryOutboxWaiting": (
        {'netpol_canary_outbox_entries{source="shop"}': "2x70"},
        {'netpol_canary_outbox_entries{source="shop"}': "2x30 0x1 2x30"},
    ),
    "NetpolCanaryMeasurementsBroken": (
        {'netpol_canary_measurements_total{phase="Error"}': "0+1x90"},
        {'netpol_canary_measurements_total{phase="Successful"}': "0+1x90"},
    ),
    "NetpolCanaryGuardDown": ({}, {'netpol_canary_guard_rounds_total{outcome="ok"}': "0+12x60"}),
    "NetpolCanaryGuardLeaderless": (
        {"netpol_canary_guard_leader": "0x60"},
        {"netpol_canary_guard_leader": "1x60"},
    ),
    "NetpolCanaryEngineSilent": (
        {"netpol_canary_guard_silent_rollouts": "1x60"},
        {"netpol_canary_guard_silent_rollouts": "0x60"},
    ),
    "NetpolCanaryGuardRescued": (
        {'netpol_canary_guard_rescues_total{phase="RolledBack"}': "0x50 1x10"},
        {'netpol_canary_guard_rescues_total{phase="RolledBack"}': "3x60"},
    ),
}

# What raises an alert besides: a guard that never came to an end of a round.
ALSO_RAISED = [
    (
        "NetpolCanaryGuardDown",
        {
            'netpol_canary_guard_rounds_total{outcome="ok"}': "0x60",
            'netpol_canary_guard_rounds_total{outcome="error"}': "0+12x60",
        },
    )
]
# Counters of which the first one must raise an alert. What Prometheus never saw at nought does not increase.
FROM_THE_START = {
    'netpol_canary_guard_rescues_total{phase="RolledBack"}',
    'netpol_canary_guard_rescues_total{phase="Failed"}',
    'netpol_canary_guard_rounds_total{outcome="ok"}',
    'netpol_canary_measurements_total{phase="Error"}',
    'netpol_canary_reconciles_total{outcome="ok"}',
    "netpol_canary_restore_seconds_count",
}


def served():
    """Every name that /metrics of a controller or a guard may show."""
    families = [*Instruments().registry.collect(), *GuardInstruments().registry.collect()]
    endings = ("", "_total", "_bucket", "_count", "_sum")
    return {family.name + ending for family in families for ending in endings}


def expressions():
    yield from (rule["expr"] for rule in ALERTS.values())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def panels(row=None):
    """The board's panels, or those below one of its rows."""
    below = None
    for panel in BOARD["panels"]:
        if panel["type"] == "row":
            below = panel["title"]
        elif row in (None, below):
            yield panel


@pytest.mark.parametrize("expression", list(expressions()))
def test_what_is_asked_for_is_served(expression):
    names = set(re.findall(r"netpol_canary_\w+", expression))
    assert names and names <= served()


def test_every_alert_has_its_runbook_and_every_runbook_its_alert():
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs/alerts.md").read_text(), re.M)
    assert headings == list(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook_url"] == f"{SITE}alerts.html#{name.lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_the_board_asks_for_the_sources_that_were_chosen_in_its_first_row():
    variables = {v["name"]: v for v in BOARD["templating"]["list"]}
    assert variables["source"]["query"]["query"] == "label_values(netpol_canary_rollouts, source)"
    chosen = list(panels(BOARD["panels"][0]["title"]))
    assert len(chosen) > 4
    assert all('source=~"$source"' in target["expr"] for panel in chosen for target in panel["targets"])


def test_the_board_leads_to_the_pages_and_to_pages_of_the_site_that_there_are():
    urls = [link["url"] for link in BOARD["links"]]
    assert {"${pages}/", "${pages}/history"} <= set(urls)
    for url in urls:
        if not url.startswith("${pages}"):
            name = url.removeprefix(SITE).removesuffix(".html")
            assert (ROOT / f"docs/{name}.md").exists(), url


def test_no_two_panels_of_the_board_overlap():
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert max(x for x, _ in cells) < 24 and not cells & taken, panel["title"]
        taken |= cells


def test_what_must_be_seen_the_first_time_is_served_before_it_happens():
    texts = [generate_latest(made.registry).decode() for made in (Instruments(), GuardInstruments())]
    at_nought = {line.removesuffix(" 0.0") for line in "".join(texts).splitlines() if line.endswith(" 0.0")}
    assert at_nought >= FROM_THE_START


def test_trials_use_buckets_that_are_served():
    """A quantile is never above the last bucket: an alert that asks for more could not be raised."""
    text = generate_latest(Instruments().registry).decode()
    buckets = {float(b) for b in re.findall(r'restore_seconds_bucket{le="([^"]+)"}', text)}
    used = [
        b for both in TRIALS.values() for series in both for s in series for b in re.findall('le="(.+?)"', s)
    ]
    assert used and {float(b) for b in used} <= buckets


def promtool(*args, folder):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = ran(program, *args, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def values(text):
    """`0x50 1x10` as promtool writes it; what grows stands as it is."""
    return " ".join(
        part if "+" in part else f"{part.partition('x')[0]}+0x{part.partition('x')[2]}"
        for part in text.split()
    )


def trial(name, series, firing):
    """A test of promtool's: whether an alert fires after an hour of these series."""
    expected = {
        "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
        "eval_time": "62m" if ALERTS[name].get("for") == "1h" else "59m",
        "exp_samples": [{"labels": "{}", "value": firing}],
    }
    given = [{"series": s, "values": values(v)} for s, v in series.items()]
    return {"interval": "1m", "input_series": given, "promql_expr_test": [expected]}


@pytest.mark.exhaustive
def test_each_alert_is_raised_where_it_must_and_not_elsewhere(tmp_path):
    assert TRIALS.keys() == ALERTS.keys()
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES))
    promtool("check", "rules", "rules.yaml", folder=tmp_path)
    tests = [
        trial(n, series, f) for n, both in TRIALS.items() for series, f in zip(both, (1, 0), strict=True)
    ]
    tests += [trial(name, series, 1) for name, series in ALSO_RAISED]
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(whole))
    promtool("test", "rules", "tests.yaml", folder=tmp_path)


def test_what_the_board_asks_is_promql(tmp_path):
    """As recording rules, which promtool parses; Grafana puts the chosen sources in."""
    asked = [t["expr"].replace("$source", ".*") for panel in panels() for t in panel["targets"]]
    rules = [{"record": f"board:{number}", "expr": expr} for number, expr in enumerate(asked)]
    (tmp_path / "board.yaml").write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    promtool("check", "rules", "board.yaml", folder=tmp_path)
