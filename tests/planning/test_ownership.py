"""An object that others manage is refused, adopted or left alone, as the source says."""

import pytest
from stage import Stage, policy, work

from orchestrator.cli.rollouts import plan_printed as shown
from orchestrator.context import POLICY
from orchestrator.errors import BadInput
from orchestrator.planning.planner import plan
from orchestrator.rollout.resources.objects import SOURCE_LABEL

ARGO = {"argocd.argoproj.io/tracking-id": "shop-app:networking.k8s.io/NetworkPolicy:web/allow"}
THEIRS = {"podSelector": {"matchLabels": {"app": "theirs"}}}


def stage(conflicts, good=True, spec=THEIRS):
    found = Stage(good)
    theirs = policy("allow", spec, "web")
    theirs["metadata"]["annotations"] = ARGO
    fields = {"f:metadata": {"f:annotations": {f"f:{name}": {} for name in ARGO}}}
    wrote = {"manager": "argocd-controller", "time": "2026-01-01T08:00:00Z", "fieldsV1": fields}
    theirs["metadata"]["managedFields"] = [wrote]
    found.cluster.create(theirs)
    found.change(conflicts=conflicts)
    return found


def planned(on):
    return plan(on.context(), on.shop(), "c" * 40)


def test_refuse_names_the_object_who_manages_it_since_when_and_what_to_do():
    on = stage("refuse")
    with pytest.raises(BadInput) as said:
        planned(on)
    since = on.cluster.get(POLICY, "allow", "web")["metadata"]["creationTimestamp"]
    assert str(said.value).startswith(
        "all.yaml:3: web/NetworkPolicy/allow exists and is not this source's; it is managed by "
        f"Argo CD (application shop-app, last wrote 2026-01-01T08:00:00Z), since {since}; rename it"
    )


def test_adopt_takes_it_over_and_says_so_and_a_rollback_gives_it_back():
    on = stage("adopt", good=False)
    before = on.standing()
    (remark,) = planned(on).remarks
    assert "web/NetworkPolicy/allow is adopted, so far managed by Argo CD" in remark
    assert "may restore its own version" in remark
    assert work(on.context(), "w").rollout.status.phase == "RolledBack"
    assert on.standing() == before


def test_observe_leaves_it_alone_and_shows_what_git_would_make_of_it():
    on = stage("observe")
    theirs = on.cluster.get(POLICY, "allow", "web")
    found = planned(on)
    (one,) = found.observed
    assert one.differs and one.managers.startswith("Argo CD (application shop-app")
    assert SOURCE_LABEL not in one.change.after["metadata"].get("labels", {})
    assert [c.label for c in found.namespaces["web"].changes] == ["NetworkPolicy/deny"]
    assert work(on.context(), "w").rollout.status.phase == "Succeeded"
    assert on.cluster.get(POLICY, "allow", "web") == theirs
    facts = shown.facts(planned(on))
    assert facts["waves"] == [] and facts["observed"][0]["object"] == "NetworkPolicy/allow"


def test_what_is_observed_and_as_git_has_it_is_no_difference():
    same = {"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{"from": [{"podSelector": {}}]}]}
    (one,) = planned(stage("observe", spec=same)).observed
    assert not one.differs


def test_an_own_object_that_a_gitops_tool_also_manages_is_warned_of():
    on = stage("adopt")
    work(on.context(), "w")
    (remark,) = planned(on).remarks
    assert remark.startswith("web/NetworkPolicy/allow is also managed by Argo CD (application shop-app)")
