"""`uninstall` takes away everything but promoted policies, and nothing at all while something could be lost."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import OWN, Rounds, Stage, policy, work
from written import plain

from orchestrator.context import NAMESPACE, ROLLOUT
from orchestrator.errors import Unreachable
from orchestrator.policy.writes.bridges import BRIDGE_LABEL, bridge_name
from orchestrator.ports import Kind
from orchestrator.rollout.resources.model import API_VERSION
from orchestrator.rollout.resources.resource import MODELS, load
from orchestrator.writing.walk import tag

NAME = "shop-cccccccccc"


def ours(stage):
    return [o for kind in MODELS for o in stage.cluster.list(Kind(API_VERSION, kind))]


def halfway(stage):
    """An engine begins and stops for good once something is written."""
    before = stage.names()
    work(stage.context(), "gone", stop=lambda: stage.names() != before)
    assert stage.names() != before


def failed():
    """A rollout that could not be rolled back."""
    stage = Stage(good=False, deadline_seconds=30)
    error = Unreachable("the API server does not answer")
    back = lambda call: any(load(o).status.phase == "RollingBack" for o in stage.cluster.list(ROLLOUT))  # noqa: E731
    mute = just_before(error, "create", "delete", kind="NetworkPolicy", where=back)
    assert work(stage.context(FaultyPort(stage.cluster, mute)), "one").rollout.status.phase == "Failed"
    return stage


def test_what_was_promoted_stays_and_nothing_else(cli):
    stage = Stage()
    Rounds(stage).go()
    promoted = stage.standing()
    found = cli(stage)("uninstall", "--yes")
    assert found.code == 0 and "policyrollout/shop-cccccccccc deleted" in found.out, found.err
    assert ours(stage) == [] and stage.standing() == promoted
    assert OWN not in [o["metadata"]["name"] for o in stage.cluster.list(NAMESPACE)]
    again = cli(stage)("uninstall", "--yes")
    assert again.code == 0 and "deleted" not in again.out


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--yes", f"{NAME} (Progressing); --restore rolls back"),
        ("--restore", f"This rolls back {NAME} (Progressing) first"),
    ],
)
def test_in_the_middle_of_a_rollout_it_touches_nothing_before_it_is_asked_to(cli, flag, told):
    stage = Stage()
    halfway(stage)
    stands, kept = stage.standing(), ours(stage)
    found = cli(stage)("uninstall", flag)
    assert found.code == 1 and told in found.out + found.err
    assert stage.standing() == stands and ours(stage) == kept


def test_it_puts_back_first_where_asked_to(cli):
    stage = Stage()
    before = stage.standing()
    halfway(stage)
    found = cli(stage)("uninstall", "--restore", "--yes")
    assert found.code == 0, found.err
    assert stage.standing() == before and ours(stage) == []


def test_a_rollout_that_begins_before_the_engines_stop_keeps_what_it_needs(cli):
    stage = Stage()
    before = stage.standing()
    begins = just_before(lambda call: halfway(stage), "delete", kind="Deployment", at=1)
    found = cli(stage, cluster=FaultyPort(stage.cluster, begins))("uninstall", "--yes")
    assert begins.met and found.code == 1 and "they began meanwhile, and the engines are stopped" in found.err
    assert [load(o).status.phase for o in stage.cluster.list(ROLLOUT)] == ["Progressing"]
    assert all(o["metadata"]["finalizers"] for o in stage.cluster.list(ROLLOUT))
    again = cli(stage)("uninstall", "--restore", "--yes")
    assert again.code == 0 and stage.standing() == before and ours(stage) == []


def test_what_failed_is_given_up_by_name_alone(cli):
    stage = failed()
    stands = stage.standing()
    for words in ((), ("--restore",), ("--lose", "another")):
        found = cli(stage)("uninstall", "--yes", *words)
        assert found.code == 1 and f"{NAME} (Failed)" in found.err and "--lose NAME" in found.err
    assert ours(stage) and stage.standing() == stands
    found = cli(stage)("uninstall", "--yes", "--lose", NAME)
    assert found.code == 0 and f"What {NAME} kept of the state before is given up" in found.out, found.err
    assert ours(stage) == [] and stage.standing() == stands


def test_the_check_removes_nothing_and_refuses_while_something_is_unrestored(cli):
    stage = Stage()
    Rounds(stage).go()
    kept = ours(stage)
    found = cli(stage)("uninstall", "--check")
    assert (found.code, found.out) == (0, "everything is restored\n") and ours(stage) == kept
    stage = Stage()
    halfway(stage)
    kept = ours(stage)
    found = cli(stage)("uninstall", "--check")
    assert found.code == 1 and f"{NAME} (Progressing); `netpol-canary abort NAME` rolls back" in found.err
    assert "--restore" not in found.err and ours(stage) == kept


def test_the_check_refuses_what_failed_and_what_it_cannot_read(cli):
    stage = failed()
    found = cli(stage)("uninstall", "--check")
    assert found.code == 1 and f"{NAME} (Failed)" in found.err and "--lose" not in found.err
    mute = just_before(Unreachable("the API server does not answer"), "list", kind="PolicyRollout")
    found = cli(stage, cluster=FaultyPort(stage.cluster, mute))("uninstall", "--check")
    assert found.code not in (0, 2) and "does not answer" in found.err


@pytest.mark.parametrize("more", [("--restore",), ("--yes",), ("--lose", NAME)])
def test_the_check_goes_with_nothing_that_removes(cli, more):
    found = cli(Stage())("uninstall", "--check", *more)
    assert found.code == 2 and "it removes nothing" in found.err


def test_only_what_failed_can_be_given_up(cli):
    stage = Stage()
    halfway(stage)
    found = cli(stage)("uninstall", "--yes", "--lose", NAME)
    assert found.code == 2 and "it is Progressing, not Failed" in found.err and ours(stage)


def test_a_rollout_of_another_namespace_holds_the_crds(cli):
    stage = Stage()
    halfway(stage)
    stage.namespace("elsewhere")
    (obj,) = stage.cluster.list(ROLLOUT)
    meta = {"name": "theirs", "namespace": "elsewhere"}
    made = stage.cluster.create({**obj, "metadata": meta})
    stage.cluster.replace_status({**made, "status": obj["status"]})
    found = cli(stage)("uninstall", "--restore", "--yes")
    assert found.code == 1 and "elsewhere/theirs (Progressing)" in found.err and "-n NAMESPACE" in found.err
    assert len(stage.cluster.list(ROLLOUT)) == 2


def test_pods_that_do_not_end_hold_everything(cli):
    stage = Stage()
    Rounds(stage).go()
    label = {"app.kubernetes.io/name": "netpol-canary"}
    stage.cluster.create(plain("Pod", f"{OWN}/netpol-canary-0", {}, label))
    kept = ours(stage)
    found = cli(stage)("uninstall", "--yes")
    assert found.code == 1 and "netpol-canary-0; they may still write" in found.err
    assert ours(stage) == kept


def test_a_namespace_that_does_not_go_is_said_with_the_reason(cli):
    stage = Stage()
    meta = {"name": "claim", "namespace": OWN, "finalizers": ["example.com/held"]}
    stage.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    found = cli(stage)("uninstall", "--yes")
    assert found.code == 1 and f"namespace/{OWN} does not go" in found.err
    obj = stage.cluster.get(Kind("v1", "ConfigMap"), "claim", OWN)
    stage.cluster.replace({**obj, "metadata": {**obj["metadata"], "finalizers": []}})
    assert cli(stage)("uninstall", "--yes").code == 0


@pytest.mark.parametrize("where", ["PolicyRollout", "Namespace"])
def test_stopped_in_the_middle_it_goes_on_when_it_is_run_again(cli, where):
    stage = Stage()
    Rounds(stage).go()
    promoted = stage.standing()

    dies = just_before(Unreachable("the API server gave no answer"), "delete", kind=where)
    assert cli(stage, cluster=FaultyPort(stage.cluster, dies))("uninstall", "--yes").code != 0
    assert cli(stage)("uninstall", "--yes").code == 0
    assert ours(stage) == [] and stage.standing() == promoted


def test_bridges_go_whichever_of_name_and_label_is_left_of_them(cli):
    stage = Stage()
    Rounds(stage).go()
    promoted = stage.standing()
    every = {"podSelector": {}, "ingress": [{}]}
    stage.cluster.create(policy(bridge_name("0123456789", 3), every, "cart"))
    stage.cluster.create(policy("renamed", every, "pay", {BRIDGE_LABEL: tag(NAME)}))
    found = cli(stage)("uninstall", "--yes")
    assert found.code == 0 and "bridge-0123456789-3 deleted in cart" in found.out, found.err
    assert stage.standing() == promoted
