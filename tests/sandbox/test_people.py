"""In the sandbox people may do what config/rbac grants in a cluster, in their own names."""

from pathlib import Path

import pytest
import yaml
from stage import OWN, Stage

from orchestrator.context import ROLLOUT, SOURCE
from orchestrator.errors import Forbidden
from orchestrator.rollout.resources.model import GROUP
from orchestrator.sandbox.people import ENGINEERS, GRANTED, READS, People

RBAC = Path(__file__).parents[2] / "config" / "rbac" / "people.yaml"


def approval(user, groups=()):
    spec = {"rollout": "shop-1", "wave": 1, "planDigest": "x", "decision": "approve", "comment": ""}
    spec |= {"user": user, "groups": list(groups)}
    meta = {"name": "yes", "namespace": OWN}
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "RolloutApproval", "metadata": meta, "spec": spec}


@pytest.fixture
def people():
    return People(Stage().cluster)


def test_release_engineers_may_do_what_their_role_says():
    (role,) = (
        d for d in yaml.safe_load_all(RBAC.read_text()) if d["metadata"]["name"].endswith("release-engineer")
    )
    found = {
        (verb, resource)
        for rule in role["rules"]
        if rule["apiGroups"] == [GROUP]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {pair for pair in found if pair[0] not in READS} == GRANTED


def test_somebody_reads_and_does_not_write(people):
    bob = people.impersonating("bob@example.com", ())
    (source,) = bob.list(SOURCE, OWN)
    assert bob.list(ROLLOUT, OWN) == [] and bob.user() == ("bob@example.com", ())
    for work in (
        lambda: bob.replace(source),
        lambda: bob.replace_status(source),
        lambda: bob.create(approval("bob@example.com")),
        lambda: bob.delete(SOURCE, "shop", OWN, uid="", resource_version=""),
    ):
        with pytest.raises(Forbidden, match=r"bob@example\.com"):
            work()


def test_an_approval_is_in_ones_own_name_and_groups(people):
    ann = people.impersonating("ann@example.com", (ENGINEERS,))
    for wrong in (approval("bob@example.com"), approval("ann@example.com", ["security"])):
        with pytest.raises(Forbidden):
            ann.create(wrong)
    assert ann.create(approval("ann@example.com", [ENGINEERS]))["metadata"]["uid"]


def test_a_token_that_is_not_known_is_unauthorized(people):
    with pytest.raises(Forbidden) as error:
        people.with_token("x").user()
    assert error.value.status == 401
