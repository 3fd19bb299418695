"""lint finds namespaces that are named by a label which Kubernetes does not put on them."""

import pytest
from linted import read
from written import pod, policy, written

from orchestrator.policy.lint.linter import lint

BESIDE = written("Namespace", "metering", about="labels: {LABELS}") + pod("metering/probe")
BESIDE += policy("bills/api", "{podSelector: {}, ingress: [{from: [PEER]}]}")


def found(peer, labels=""):
    ids = [(f.rule.id, f.message) for f in lint(read(BESIDE.replace("LABELS", labels).replace("PEER", peer)))]
    return [message for rule, message in ids if rule == "NPC019"], {rule for rule, _ in ids}


@pytest.mark.parametrize(
    ("selector", "does"),
    [
        ("{matchLabels: {name: metering}}", "matches none"),
        ("{matchLabels: {name: kube-system}}", "matches none"),
        ("{matchLabels: {team: metering}}", "matches none"),  # the name of a namespace that is known
        ("{matchExpressions: [{key: ns, operator: In, values: [metering, other]}]}", "matches none"),
        ("{matchExpressions: [{key: name, operator: NotIn, values: [kube-system]}]}", "excludes none"),
    ],
)
def test_a_name_by_another_label_is_found_and_said_once(selector, does):
    (text,), ids = found(f"{{namespaceSelector: {selector}}}")
    assert text.startswith("ingress[0].from[0] means the namespace") and does in text
    assert "NPC002" not in ids


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        ("{matchLabels: {kubernetes.io/metadata.name: metering}}", ""),
        ("{matchLabels: {name: metering}}", "name: metering"),
        ("{matchLabels: {team: blue}}", ""),
        ("{}", ""),
        ("{matchExpressions: [{key: name, operator: Exists}]}", ""),
    ],
)
def test_the_label_that_is_there_and_labels_that_are_no_names_are_right(selector, labels):
    assert found(f"{{namespaceSelector: {selector}}}", labels)[0] == []


def test_the_namespaces_label_matches_no_pod():
    (text,), _ = found("{podSelector: {matchLabels: {kubernetes.io/metadata.name: metering}}}")
    assert "belongs under namespaceSelector" in text
