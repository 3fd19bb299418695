"""An annotation of `check` stands where the change touched the rule that decides, and names what opens."""

import re

import pytest
from git_folder import begun, commit
from written import pod

from orchestrator.cli.policies.check import Asked, check
from orchestrator.policy.files.touched_field import touched_field

PODS = pod("bakery/oven", "ports: [{containerPort: 8443}, {containerPort: 9443}]") + pod("bakery/till")
RULES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: bakery}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: oven, namespace: bakery}
spec:
  podSelector: {matchLabels: {app: oven}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: nobody}}}]
  - from: [{podSelector: {matchLabels: {app: till}}}]
    ports:
    - port: 8443
"""


@pytest.fixture
def annotated(tmp_path, capfd):
    def ask(before, after):
        folder = tmp_path / "rules"
        folder.mkdir()
        (folder / "a.yaml").write_text(before)
        (folder / "pods.yaml").write_text(PODS)
        begun(tmp_path)
        commit(tmp_path, "before")
        (folder / "a.yaml").write_text(after)
        commit(tmp_path, "after")
        check(Asked(folder, "HEAD~1"), "github")
        out = capfd.readouterr().out
        return re.findall(r"line=(\d+),col=\d+,title=(internet|opened|widened|cut|narrowed)::(.*)", out)

    return ask


def test_another_port_is_said_on_its_own_line_and_by_the_rule_that_opens_it(annotated):
    found = annotated(RULES, RULES.replace("8443", "9443"))
    assert {(line, word) for line, word, _ in found} == {("15", "opened"), ("15", "cut")}
    opened = next(text for _, word, text in found if word == "opened")
    assert "bakery/oven ingress[1].ports[0].port" in opened and "no rule" not in opened


def test_ports_that_are_added_are_said_where_they_are_added_and_which_stay(annotated):
    open_to_all = RULES.replace("    ports:\n    - port: 8443\n", "")
    kept = open_to_all + "    ports: [{port: 8443}, {port: 9443}]\n"
    ((line, word, text),) = annotated(open_to_all, kept)
    assert (line, word) == ("14", "narrowed") and "TCP 8443,9443 stays open, SCTP,TCP 1-8442,84" in text
    assert text.startswith("bakery/till[Pod] to bakery/oven[Pod] on TCP 8443,9443: ")  # not on what is lost


@pytest.mark.parametrize(("peers", "also"), [("[]", "opened"), ("[{ipBlock: {cidr: 0.0.0.0/0}}]", "opened")])
def test_what_is_newly_open_to_the_internet_is_one_annotation_that_says_both(annotated, peers, also):
    found = annotated(RULES, RULES.replace("[{podSelector: {matchLabels: {app: nobody}}}]", peers))
    outside = [(word, text) for _, word, text in found if text.startswith("internet to ")]
    ((word, text),) = outside
    assert word == "internet" and f"newly open to the internet, a connection is {also}: " in text


def test_a_rule_that_goes_is_said_at_the_list_that_it_went_from(annotated):
    less = RULES.partition("  - from: [{podSelector: {matchLabels: {app: till}}}]")[0]
    ((line, word, _),) = annotated(RULES, less)
    assert (line, word) == ("11", "cut")


def test_a_policy_that_goes_opens_by_no_rule_of_it(annotated):
    found = annotated(RULES, "---\n".join(RULES.split("---\n")[1:]))
    assert found
    assert all(word in ("opened", "internet") and "no rule allows it" not in text for _, word, text in found)


def test_the_field_that_differs_first():
    assert touched_field({"podSelector": {}}, {"podSelector": {}}) == ""
    assert touched_field({"ingress": [{}]}, {"ingress": [{}, {"from": []}]}) == "ingress[1]"
    assert touched_field({"ingress": [{}]}, {"ingress": [{}], "egress": []}) == "egress"
    assert (
        touched_field({"ingress": [{"ports": [1]}]}, {"ingress": [{"ports": [2]}]}) == "ingress[0].ports[0]"
    )
