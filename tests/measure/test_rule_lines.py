"""A plan and the watch set of its waves name the line of the rule that differs, or that decides, and no other rule's."""

import yaml
from risky import DB, into, near, risky
from stage import policy
from watched_canary import first_wave

from orchestrator.measure.watch_set import watch_set
from orchestrator.planning.planner import plan
from orchestrator.ports import Files
from orchestrator.rollout.resources import model as m

FIRST, SECOND = {"from": near("web"), "ports": DB}, {"from": near("pay"), "ports": DB}


def two(*rules, **meta):
    found = into("cart")
    return {
        **found,
        "metadata": {**found["metadata"], **meta},
        "spec": {**found["spec"], "ingress": list(rules)},
    }


def pushed(*rules, text=None, **meta):
    """A stage on which cart's policy has these rules next, in YAML below a folder; and the lines of that file."""
    stage = risky(gates=[m.Gate(wave=1)])
    others = [into("web", **{"from": near("nobody")}), policy("old", {"podSelector": {}}, "cart")]
    text = text or yaml.safe_dump_all([*others, two(*rules, **meta)], sort_keys=False)
    found = Files({"all.yaml": text.encode()})
    found.below = "deploy/"
    stage.repository.push("d", found)
    return stage, text.splitlines()


def file_of(stage, name="into"):
    made = plan(stage.context(), stage.shop(), "d" * 40)
    (change,) = (c for c in made.namespaces["cart"].changes if c.label.endswith(f"/{name}"))
    return change.file


def line(lines, text, nth):
    """The number of the nth line that begins so."""
    return [n for n, found in enumerate(lines, 1) if found.startswith(text)][nth]


def watched(stage):
    """The reasons of cart's first connection from pay, with the connections that the plan froze and without."""
    ctx, state = first_wave(stage)
    for edges in (state.rollout.spec.edges, []):
        state.rollout.spec.edges = edges
        found = [e for e in watch_set(ctx, state, 0, False).edges if e.source == "pay/a[Pod]"]
        yield " ".join(found[0].because)


def test_a_policy_that_changes_is_named_at_its_first_field_that_differs():
    stage, lines = pushed(FIRST, SECOND)
    assert file_of(stage) == f"all.yaml:{line(lines, '  - from', 2)}"
    stage, lines = pushed({**FIRST, "ports": [{"port": 1, "protocol": "TCP"}]})
    assert file_of(stage) == f"all.yaml:{line(lines, '    - port', 0)}"


def test_a_label_with_dots_is_named_at_its_selector():
    stage, lines = pushed({**FIRST, "from": near("other")})
    assert file_of(stage) == f"all.yaml:{line(lines, '        matchLabels', 1)}"


def test_a_policy_that_comes_or_whose_labels_alone_differ_is_named_at_its_first_line():
    stage, lines = pushed(FIRST, labels={"team": "till"})
    assert file_of(stage) == f"all.yaml:{line(lines, 'apiVersion', 2)}"
    fresh = yaml.safe_dump_all([policy("fresh", {"podSelector": {}}, "cart")])
    assert file_of(pushed(text=fresh)[0], "fresh") == "all.yaml:1"


def test_a_wave_names_the_line_that_the_plan_found_for_the_rule_from_the_root():
    stage, lines = pushed({**FIRST, "from": near("other")}, SECOND)
    at = line(lines, "  - from", 2)
    found, alone = watched(stage)
    commit = "dddddddddd Ann: change"
    assert f"NetworkPolicy cart/into ingress[1] (deploy/all.yaml:{at}, {commit})" in found
    assert file_of(stage) != f"all.yaml:{at}", "another rule is the first that differs"
    assert f"NetworkPolicy cart/into ingress[1] (all.yaml, {commit})" in alone


def test_a_wave_names_the_rule_that_differs_though_the_plan_froze_no_such_connection():
    stage, lines = pushed(FIRST, SECOND)
    _, alone = watched(stage)
    assert f"ingress[1] (all.yaml:{line(lines, '  - from', 2)}, dddddddddd Ann: change)" in alone
