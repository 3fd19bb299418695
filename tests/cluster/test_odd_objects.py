"""On a real API server: an object that somebody's finalizer keeps, and annotations that are no request."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import reading
from clearing import OWN
from patience import ENOUGH, eventually
from stage import Inline

from orchestrator.adapters.kube.counted import CountedCluster
from orchestrator.adapters.kube.events import EventNotifier
from orchestrator.context import ROLLOUT
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import start
from orchestrator.ports import Kind
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resources.resource import load

pytestmark = pytest.mark.cluster
KEEPER = "example.com/keeps-it"
DEADLINE = 20  # seconds, after which a way back is Failed
TRIES = DEADLINE + 15  # one a second, and what comes before and after
CALLS = 8  # of one try: the Lease, what stands in the namespace, the records
UNWATCHED = {"settleSeconds": 0, "analysis": {"probing": {"edges": False}}}


def kept(place, *finalizers):
    """The policy of the change with these finalizers; nothing where it is gone."""
    patch = json.dumps({"metadata": {"finalizers": finalizers}})
    place.plane.run("patch", "netpol", "web", "-n", place.name, "--type=merge", "-p", patch, check=False)


def asked(place, name, text):
    """A person's request, as kubectl writes it."""
    place.plane.run("annotate", "--overwrite", "prol", name, "-n", OWN, f"{REQUEST}={text}")


def me(place):
    return place.api.user()[0]


def worked(place, name, ctx=None):
    """One process works on it until it ends or waits for a person."""
    return Embedded(ctx or place.ctx, "test").drive(name).rollout.status


def test_what_somebody_s_finalizer_keeps_is_named_and_ends_as_failed_within_the_deadline_in_few_calls(
    place, request
):
    place.source(strategy={**UNWATCHED, "deadlineSeconds": DEADLINE})
    name = start(place.ctx, place.source()).rollout
    assert worked(place, name).phase == "Succeeded"
    kept(place, KEEPER)
    request.addfinalizer(lambda: kept(place))
    asked(place, name, f"rollback/1/{me(place)}")
    calls = Counter()
    counted = CountedCluster(place.api, lambda verb, kind, _: calls.update([f"{verb} {kind}"]))
    found = worked(place, name, replace(place.ctx, cluster=counted))
    assert found.phase == "Failed" and "\n" not in found.reason, found.reason
    assert f"{place.name}: NetworkPolicy/web (finalizer {KEEPER})" in found.said
    assert f"within {DEADLINE} s" in found.reason
    assert calls.total() < TRIES * CALLS, calls
    assert calls["delete NetworkPolicy"] + calls["replace NetworkPolicy"] <= 3, calls
    standing = reading.found(place.plane, reading.POLICY, "web", place.name)
    assert standing["metadata"]["deletionTimestamp"] and standing["metadata"]["finalizers"] == [KEEPER]
    assert standing["spec"]["podSelector"].get("matchExpressions"), "it still selects pods"
    kept(place)
    eventually(lambda: not reading.found(place.plane, reading.POLICY, "web", place.name))
    asked(place, name, f"rollback/2/{me(place)}")  # as docs/operations.md says
    assert worked(place, name).phase == "RolledBack"
    took = (found.transitions[-1].time - found.detected_at).total_seconds()
    print(f"Failed {took:.1f} s after it was asked for, in {calls.total()} calls: {dict(calls)}")


def told(place, name):
    """The Events about it that say that a request was ignored."""
    found = reading.listed(place.plane, Kind("v1", "Event"), OWN)
    mine = [e for e in found if e["involvedObject"]["name"] == name]
    return [e["message"] for e in mine if e["reason"] == "RequestIgnored"]


# What config/admission lets pass: the name is that of who asks.
NO_REQUEST = {
    "an id of 300 characters": "{verb}/" + "x" * 300 + "/{me}",
    "no id": "{verb}//{me}",
    "an unknown verb": "{verb}-at-once/1/{me}",
    "control characters": "{verb}/\x1b]0;owned\x07/{me}",
    "a line break": "{verb}/1\nabort/{me}",
    "somebody's name of 600 characters": "supersede/1/" + "x" * 600,
}


@pytest.mark.parametrize("text", NO_REQUEST.values(), ids=NO_REQUEST)
def test_what_stands_where_a_request_would_and_is_none_is_ignored_aloud_and_the_rollout_goes_on(place, text):
    place.source(strategy={**UNWATCHED, "deadlineSeconds": int(ENOUGH)})
    ctx = replace(place.ctx, notifier=EventNotifier(place.api, place.ctx.clock))
    controller = Controller(ctx, "test", Instruments())
    name = start(ctx, place.source()).rollout
    asked(place, name, text.format(verb="pause", me=me(place)))
    controller.tick(Inline())
    status = load(place.api.get(ROLLOUT, name, OWN)).status
    assert status.phase == "Succeeded" and status.handled_request == "", status.reason
    asked(place, name, text.format(verb="rollback", me=me(place)))
    controller.tick(Inline())
    assert load(place.api.get(ROLLOUT, name, OWN)).status.phase == "Succeeded"
    said = told(place, name)
    assert len(said) >= 1 and all(REQUEST in s and "is ignored" in s and s.isprintable() for s in said), said
    asked(place, name, f"rollback/1/{me(place)}")
    controller.tick(Inline())
    assert load(place.api.get(ROLLOUT, name, OWN)).status.phase == "RolledBack"


@pytest.mark.parametrize("text", ["pause", "pause/1/", "pause/1/somebody-else", "abort/1/admin/of/all"])
def test_a_request_in_nobody_s_or_somebody_else_s_name_is_refused_by_the_api_server(place, text):
    name = start(place.ctx, place.source()).rollout
    with pytest.raises(AssertionError, match="the user must be the one who asks"):
        asked(place, name, text)
    assert worked(place, name).phase == "Succeeded"
