"""config/kinds has a file for each kind of policy that a source may hold beside NetworkPolicy, and grants nothing else."""

from pathlib import Path

import pytest
from chart.values import KINDS

from orchestrator.adapters.kube.bundle import bundle, collected, kinds
from orchestrator.policy.schemas.policy_kinds import CALICO, POLICY_KINDS

CONFIG = Path(__file__).parents[2] / "config"
WRITERS = {"netpol-canary", "netpol-canary-guard", "netpol-canary-step"}
WRITING = {"create", "update", "delete"}


def plural(kind):
    return f"{kind.kind[:-1]}ies".lower()


def file_of(kind):
    return f"calico{plural(kind)}" if (kind.group, kind.kind) == (CALICO, "NetworkPolicy") else plural(kind)


def granted(documents):
    """What roles allow to write, as group and resource."""
    return {
        (group, resource)
        for d in documents
        if d["kind"] in ("ClusterRole", "Role")
        for rule in d["rules"]
        if WRITING & set(rule["verbs"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


@pytest.mark.parametrize("kind", POLICY_KINDS, ids=lambda kind: f"{kind.group}/{kind.kind}")
def test_each_kind_has_a_file_of_its_own(kind):
    role, binding = collected([file_of(kind)])
    mine = {(kind.group, plural(kind))}
    assert granted([role]) == mine | ({(CALICO, f"tier.{plural(kind)}")} if kind.group == CALICO else set())
    assert set(role["rules"][0]["verbs"]) == {"get", "list", *WRITING}
    assert {(s["kind"], s["namespace"]) for s in binding["subjects"]} == {("ServiceAccount", "netpol-canary")}
    assert {s["name"] for s in binding["subjects"]} == WRITERS


def test_there_is_no_other_and_the_chart_has_a_value_for_each():
    assert set(kinds()) == {file_of(kind) for kind in POLICY_KINDS}
    assert {f.stem for f in (CONFIG / "kinds").glob("*.yaml")} == {*kinds(), "kustomization"}
    assert {name.removeprefix("kinds.").lower() for name in KINDS} == set(kinds())


def test_without_them_nothing_but_networkpolicies_may_be_written():
    parts = (p.parent.name for p in CONFIG.glob("*/kustomization.yaml"))
    documents = collected([part for part in parts if part != "kinds"])
    groups = {kind.group for kind in POLICY_KINDS}
    assert {one for one in granted(documents) if one[0] in groups} == set()


def test_they_are_installed_one_by_one():
    written = granted(bundle("x:1", ["ciliumnetworkpolicies"]))
    assert {one for one in written if one[0] == "cilium.io"} == {("cilium.io", "ciliumnetworkpolicies")}
