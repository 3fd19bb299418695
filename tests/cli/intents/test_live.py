"""`test --live` asks the cluster by real connections, and does not pass on silence."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from stage import Stage
from written import plain

from orchestrator.context import Context
from orchestrator.ports import ProbeResult

HASH = "5d8f7c9b6"
TESTS = """apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: shop}
spec:
  intents:
  - name: web reaches pay
    expect: reach
    from: {workload: web/front}
    to: {workload: pay/api}
    ports: [{port: 8080}]
  - name: cart does not reach pay
    expect: blocked
    from: {namespace: cart}
    to: {workload: pay/api}
    ports: [{port: 8080}]
    reason: it never pays
  only:
  - name: only web uses pay
    to: {workload: pay/api}
    onlyFrom: [{namespace: web}]
  internet:
  - name: nothing is open to the internet
    onlyTo: []
"""


def pod(space, owner, number):
    labels = {"app": owner, "pod-template-hash": HASH}
    owners = [{"kind": "ReplicaSet", "name": f"{owner}-{HASH}", "uid": "u", "controller": True}]
    spec = {"containers": [{"name": "c", "ports": [{"containerPort": 8080}]}]}
    name, about = f"{space}/{owner}-{HASH}-{number}", {"ownerReferences": owners}
    return plain("Pod", name, spec, labels, about, status={"phase": "Running"})


class Asked:
    """Answers probes by source namespace, and remembers them."""

    def __init__(self, **answers):
        self.answers, self.probes = {"web": True, "cart": False, **answers}, []

    def run(self, probes):
        self.probes += probes
        return [ProbeResult(p, self.answers[p.source.split("/")[0]], "as it is") for p in probes]


@pytest.fixture
def live(cli, tmp_path, monkeypatch):
    """`live(prober, *args, tests=...)` runs `test --live` over a folder with PolicyTests."""
    stage = Stage()
    for obj in (pod("web", "front", 1), pod("pay", "api", 1), pod("pay", "api", 2), pod("cart", "basket", 1)):
        stage.cluster.create(obj)

    def run(prober, *args, tests=TESTS):
        (tmp_path / "tests.yaml").write_text(tests)
        return cli(stage, prober=prober)("test", str(tmp_path), "--live", *args)

    return run


def test_what_holds_holds_by_the_names_of_deployments_and_each_connection_is_tried_once(live):
    prober = Asked()
    done = live(prober)
    assert done.code == 0, done
    assert [(p.source, p.destination, p.port, p.reachable) for p in prober.probes] == [
        ("web/front", "pay/api", 8080, True),
        ("cart/basket", "pay/api", 8080, False),
    ]
    assert "ok    web reaches pay" in done.out
    assert "skip  nothing is open to the internet" in done.out and "cannot come from the internet" in done.out
    said = "4 intents by real connections: 3 hold, 0 do not, 0 without an answer, 1 that no probe can ask"
    assert said in done.out


def test_what_connects_though_it_must_not_fails_with_its_reason(live):
    done = live(Asked(cart=True))
    assert done.code == 1
    assert "FAIL  cart does not reach pay" in done.out
    assert "cart/basket to pay/api on 8080/TCP connects, which it must not (as it is)" in done.out
    assert "because it never pays" in done.out


def test_what_does_not_connect_though_it_must_fails(live):
    assert "web/front to pay/api on 8080/TCP does not connect" in live(Asked(web=False)).out


def test_silence_does_not_pass(live):
    done = live(Asked(cart=None))
    assert done.code == 1
    assert "????  cart does not reach pay" in done.out and "2 without an answer" in done.out


def test_a_rule_about_workloads_that_do_not_run_fails(live):
    done = live(Asked(), tests=TESTS.replace("workload: web/front", "workload: web/frnt"))
    assert done.code == 1 and "`from` selects no workload that runs" in done.out


def test_nothing_tried_is_nothing_shown(live):
    tests = TESTS[: TESTS.index("  intents:")] + TESTS[TESTS.index("  internet:") :]
    done = live(Asked(), tests=tests)
    assert done.code == 1 and "nothing was tried, so nothing is shown" in done.out


def test_only_some_namespaces_are_probed_from_where_that_is_asked_for(live):
    prober = Asked()
    done = live(prober, "--only", "web")
    assert [p.source for p in prober.probes] == ["web/front"]
    assert "1 connection starts in other namespaces" in done.out


def test_machines_read_json_and_junit(live):
    found = json.loads(live(Asked(cart=None), "-o", "json").out)["tests"]
    assert [t["state"] for t in found] == ["holds", "unknown", "unknown", "skipped"]
    assert found[1]["connections"][0]["observed"] == "unknown" and not found[1]["passed"]
    root = ElementTree.fromstring(live(Asked(cart=None, web=False), "-o", "junit").out.encode())
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == (
        "4",
        "1",
        "2",
        "1",
    )
    assert [[e.tag for e in case] for case in root] == [["failure"], ["error"], ["error"], ["skipped"]]


def test_an_image_is_needed_and_the_options_belong_together(live, cli, tmp_path):
    done = live(None)
    assert done.code == 2 and "which image do probe pods run?" in done.err
    (tmp_path / "tests.yaml").write_text(TESTS)
    assert "give --live" in cli(Stage())("test", str(tmp_path), "--image", "x").err
    assert "leave it out" in live(Asked(), "--workloads", str(tmp_path)).err


def test_the_probes_are_made_in_a_name_of_their_own_with_the_image_that_is_given(live, monkeypatch):
    asked = []
    real = Context.__init__

    def noted(self, *args, **kwargs):
        real(self, *args, **kwargs)
        object.__setattr__(
            self, "prober", lambda probing, owner, beat: asked.append((probing.image, owner)) or Asked()
        )

    monkeypatch.setattr(Context, "__init__", noted)
    assert live(None, "--image", "ours:1").code == 0
    ((image, owner),) = asked
    assert image == "ours:1" and owner.startswith("live_")
