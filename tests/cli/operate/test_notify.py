"""`notify test` says who can be told, and `run` tells before it ends."""

import base64

from receivers import asking
from stage import OWN, Stage

from orchestrator.cli import wiring
from orchestrator.cli.rollouts import notifying
from orchestrator.context import ROLLOUT
from orchestrator.errors import DeliveryError
from orchestrator.rollout.resources.resource import load


def secret(name, **data):
    encoded = {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}
    meta = {"name": name, "namespace": OWN}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": encoded}


def test_a_test_message_goes_to_each_and_the_exit_code_says_whether_all_took_it(cli, httpserver):
    httpserver.expect_request("/good").respond_with_data("")
    where = f"{httpserver.host}:{httpserver.port}"
    more = [{"name": "mail", "secretRef": "mail"}, {"name": "gone", "secretRef": "gone"}]
    stage = asking(Stage(), notifications=[{"name": "chat", "secretRef": "chat"}, *more])
    stage.cluster.create(secret("chat", url=f"json://{where}/good"))
    stage.cluster.create(secret("mail", url=f"json://{where}/bad"))
    found = cli(stage)("notify", "test", "--source", "shop")
    assert found.code == 1 and not found.err
    lines = found.out.splitlines()
    assert lines[0] == "chat: sent" and lines[1].startswith("mail: not sent: ")
    assert "there is no Secret gone" in lines[2]
    assert httpserver.log[0][0].json["title"] == "netpol-canary: shop: test"


def test_a_name_that_is_not_there_is_bad_input(cli):
    found = cli(asking(Stage()))("notify", "test", "--source", "shop", "--name", "x")
    assert found.code == 2 and "the source shop has no notification x" in found.err


class Down:
    def send(self, message):
        raise DeliveryError("no answer")


def test_a_run_tells_and_leaves_the_rest_to_a_later_process(cli, httpserver, monkeypatch):
    httpserver.expect_request("/good").respond_with_data("")
    chat = {"name": "chat", "secretRef": "chat", "events": ["succeeded"]}
    stage = asking(Stage(), feedback=None, notifications=[chat])
    stage.cluster.create(secret("chat", url=f"json://{httpserver.host}:{httpserver.port}/good"))
    monkeypatch.setenv(wiring.PAGES_URL, "https://rollouts.example.com")
    # the stage's clock does not know how long a send takes
    monkeypatch.setattr(notifying, "DELIVERY_SECONDS", 1e9)
    assert cli(stage)("run", "--source", "shop").code == 0
    ((request, _),) = httpserver.log
    assert "https://rollouts.example.com/rollouts/shop-cccccccccc" in request.json["message"]
    (rollout,) = (load(o) for o in stage.cluster.list(ROLLOUT, OWN))
    assert not rollout.status.outbox


def test_a_run_whose_receivers_are_down_ends_all_the_same(cli):
    stage = asking(Stage(), feedback=None)
    found = cli(stage)("run", "--source", "shop")
    assert found.code == 0 and "not every notification could be sent yet" in found.err
    (rollout,) = (load(o) for o in stage.cluster.list(ROLLOUT, OWN))
    assert rollout.status.phase == "Succeeded" and rollout.status.outbox
    number = len(rollout.status.outbox)
    assert f"Still to be sent: chat ({number})" in cli(stage)("describe", "shop").out
