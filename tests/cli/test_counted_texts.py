"""What is counted has its singular and its plural, wherever a person reads it."""

import re

import pytest
from shop_manifests import DENY, MANIFESTS, POLICY, TESTS
from stage import OWN, Stage

from orchestrator.context import FREEZE
from orchestrator.policy.impact.impact import Impact
from orchestrator.policy.impact.risk import KINDS, reason, risk
from orchestrator.wording import agreeing, many, plural

ODD = re.compile(
    r"(?<![\d.,:])1 (?!of)(?:[a-z]+ )?(?:connections|findings|intents|namespaces|policies|waves|workloads)\b"
)


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "finding", "1 finding"),
        (0, "finding", "0 findings"),
        (66, "way of netpol-canary's own", "66 ways of netpol-canary's own"),
        (2, "ClusterNetworkPolicy", "2 ClusterNetworkPolicies"),
        (2, "more policy", "2 more policies"),
        (2, "analysis", "2 analyses"),
        (2, "way", "2 ways"),
        (1.0, "error", "1 error"),
        (2.5, "sample", "2.5 samples"),
    ],
)
def test_a_noun_goes_with_its_number(number, noun, said):
    assert many(number, noun) == said
    assert plural(noun) in many(2, noun)
    assert agreeing(number, "holds", "hold") == ("holds" if number == 1 else "hold")


def test_every_reason_of_a_risk_has_its_plural():
    for kind in KINDS:
        if kind != "many":
            one, several = reason(kind, 1), reason(kind, 2)
            assert one.startswith("1 ") and several.startswith("2 ") and one[2:] != several[2:]


def test_a_workload_that_is_isolated_both_ways_is_one_workload():
    both = tuple(f"shop/{n}[Pod] ({side})" for n in range(36) for side in ("ingress", "egress"))
    assert risk([], Impact(isolated=both)).reasons == ("36 workloads newly isolated",)


def test_a_check_counts_workloads_too(repo):
    repo.change("")
    repo.commit()
    repo.change(DENY)
    repo.commit()
    done = repo.run("check", repo.path, "--base", "main~1", "--max-risk", "high")
    assert "2 workloads newly isolated" in done.out, done
    assert not ODD.search(done.out)


def test_commands_over_one_thing_speak_of_one(tmp_path, netpol):
    (tmp_path / "all.yaml").write_text(MANIFESTS + "---\n" + POLICY.replace("app: db", "app: nobody", 1))
    (tmp_path / "tests.yaml").write_text(TESTS)
    for line in (["lint"], ["test"], ["generate"], ["reach"]):
        done = netpol(line[0], str(tmp_path), *line[1:])
        assert done.out and not ODD.search(done.out + done.err), done


def test_times_are_shown_without_parts_of_a_second_and_nothing_without_brackets(cli):
    stage = Stage()
    stage.clock.sleep(0.123456)
    netpol = cli(stage)
    assert netpol("freeze", "-m", "end of the quarter", "--for", "2h").code == 0
    (found,) = stage.cluster.list(FREEZE, OWN)
    assert "." not in found["spec"]["until"]
    shown = netpol("get", "freezes", "-o", "wide").out
    assert "[]" not in shown and " all " in shown
    assert not re.search(r":\d\d\.\d", shown)
