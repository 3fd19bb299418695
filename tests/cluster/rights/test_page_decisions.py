"""On a real API server the pages decide in the name of who looks: the same approval that kubectl would create."""

import json
import re
from datetime import UTC, datetime

import pytest
from clearing import cleared
from fastapi import FastAPI
from patience import ENOUGH
from scene import eventually
from stage import OWN
from starlette.testclient import TestClient

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.app import Target
from orchestrator.cli.wiring import over
from orchestrator.context import APPROVAL, ROLLOUT
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.server import pages, signin
from orchestrator.server.parts import Parts, Person
from orchestrator.server.signin.signin_settings import SignIn

pytestmark = pytest.mark.cluster

URL, NAME, ENGINEERS = "https://rollouts.example.com", "pages-one", "release-engineers"
PEOPLE = (Person("ann", (ENGINEERS,)), Person("ben", (ENGINEERS,)), Person("carol", ("pages-viewers",)))


@pytest.fixture(scope="module")
def own(plane, harness):
    """As an administrator: a rollout that waits for an engineer who is not ann."""
    for folder in ("rbac", "admission"):
        plane.run("apply", "-k", str(harness.ROOT / "config" / folder))
    for group, role in ((ENGINEERS, "release-engineer"), ("pages-viewers", "viewer")):
        bind = ["create", "rolebinding", "-n", OWN, f"--role=netpol-canary-{role}", f"pages-{group}"]
        plane.run(*bind, f"--group={group}", check=False)
    cluster = connect(plane.kubeconfig, timeout=ENOUGH)
    spec = m.PolicyRolloutSpec(
        source="pages",
        revision="a" * 40,
        authors=["user:ann"],
        plan_digest="sha256:1",
        strategy=m.Strategy(gates=[m.Gate(wave=0, groups=[ENGINEERS])]),
        waves=[m.Wave(why="all", namespaces=[m.WaveNamespace(name="default", before="", after="")])],
    )
    made = load(cluster.create(new("PolicyRollout", NAME, OWN, spec)))
    now = datetime.now(UTC)
    status = m.PolicyRolloutStatus(phase="Paused", paused_for="approval", started_at=now)
    cluster.replace_status(made.with_status(status))
    yield cluster
    cleared(plane)


@pytest.fixture
def browse(own):
    """A browser in which a person is signed in, and the fields of that person's forms."""
    app = FastAPI()
    parts = Parts(over(own, Target()), callers=own, people=PEOPLE)
    pages.install(app, parts)
    signin.install(app, parts, SignIn(external_url=URL, keys=["k" * 32]))

    def begin(number):
        http = TestClient(app, base_url=URL, headers={"accept": "text/html", "origin": URL})
        csrf = re.search(r'name="csrf" value="([^"]+)"', http.get("/signin").text)[1]
        http.post("/signin/person", data={"csrf": csrf, "person": str(number)})
        page = http.get(f"/rollouts/{NAME}/approve").text
        return http, page, re.search(r'name="csrf" value="([^"]+)"', page)[1]

    return begin


def decided(browse, number, decision="approve"):
    http, page, csrf = browse(number)
    form = {"csrf": csrf, "wave": "0", "plan": "sha256:1", "decision": decision, "comment": "seen"}
    form |= {"confirm": "reject"} if decision == "reject" else {}
    return page, http.post(f"/rollouts/{NAME}/approve", data=form, follow_redirects=False)


def test_an_approval_is_that_of_who_looks_and_who_may_not_is_refused(browse, own):
    page, sent = decided(browse, 2, "reject")
    assert "you may not approve" in page and sent.status_code == 403
    page, sent = decided(browse, 0)
    assert "You wrote a part of this change" in page and sent.status_code == 409
    assert not [o for o in own.list(APPROVAL, OWN) if o["spec"]["rollout"] == NAME]
    page, sent = decided(browse, 1)
    assert "Approve the canary" in page and sent.status_code == 303, sent.text
    [found] = [o for o in own.list(APPROVAL, OWN) if o["spec"]["rollout"] == NAME]
    assert found["spec"]["user"] == "ben" and ENGINEERS in found["spec"]["groups"]


def test_a_request_carries_the_name_of_who_asks(browse, own):
    http, _, csrf = browse(1)
    sent = http.post(f"/rollouts/{NAME}/ask", data={"csrf": csrf, "verb": "abort"}, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    found = own.get(ROLLOUT, NAME, OWN)["metadata"]["annotations"]
    assert json.dumps(found).count("/ben") == 1


def test_events_tell_of_a_change_on_a_real_watch(own):
    from orchestrator.adapters.clock import SystemClock
    from orchestrator.server.pages.changes import Changes

    with Changes(own, SystemClock(), OWN) as changes:
        eventually(lambda: changes.count("") > 0)
        before = changes.count(NAME)
        obj = own.get(ROLLOUT, NAME, OWN)
        obj["metadata"].setdefault("labels", {})["seen"] = "yes"
        own.replace(obj)
        eventually(lambda: changes.count(NAME) > before)
