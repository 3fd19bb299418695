"""Real connections to servers that are down, slow or hostile: a rollback does not notice, and is told of later."""

import re
import threading

import hostile
import hosts
import mail
import pytest
from patience import ENOUGH
from receivers import FEEDBACK, asking, rollouts
from stage import Stage, work

from orchestrator.adapters.githosts.git_host import Hosts
from orchestrator.adapters.kube.counted import CountedCluster
from orchestrator.adapters.notify.messengers import Messengers
from orchestrator.engine.delivery.dispatcher import Dispatcher
from orchestrator.engine.delivery.receivers import Sender
from orchestrator.rollout.resources.resource import dump


def asked_at(stage, url):
    feedback = {**dump(FEEDBACK), "apiUrl": url}
    return asking(stage, feedback=feedback, notifications=[])


def returned():
    """Every errand has come back."""
    for thread in [t for t in threading.enumerate() if t.name == "errand"]:
        thread.join(ENOUGH)
        assert not thread.is_alive()


def address(port):
    return f"mailto://127.0.0.1:{port}/?from=rollouts@example.com&to=ann@example.com"


def rolled_back(url="", mailbox=None):
    """What a rollback costs, with a Git host there, or a mailbox."""
    stage, calls, callers = Stage(good=False), [], set()
    ctx = stage.context()
    found = Hosts(stage.clock, lambda name, where: {"token": b"hunter2"}, seconds=0.5)

    def people(given):
        callers.add(threading.current_thread().name)
        secret = {"url": address(mailbox["port"]).encode()}
        return Messengers(lambda name, where: secret, mailbox["seconds"]).get(given)

    def hosted(*given):
        callers.add(threading.current_thread().name)
        return found.get(*given)

    courier = Dispatcher(ctx, "one", Sender(ctx, hosted, people))
    if url:
        asked_at(stage, url)
    if mailbox:
        asking(stage, feedback=None, notifications=[{"name": "mail", "secretRef": "mail"}])
    counted = CountedCluster(stage.cluster, lambda *call: calls.append(call))
    state = work(stage.context(counted), "first", watch=lambda state, action: courier.look(rollouts(stage)))
    assert callers <= {"errand"}, "the rollback itself waits for no receiver"
    status = state.rollout.status
    return (status.phase, status.restored_seconds, stage.clock.now(), len(calls)), stage, courier


@pytest.mark.parametrize("mood", ["silence", "drip", "huge", "redirect", "busy", "down"])
def test_whatever_a_git_host_does_a_rollback_takes_as_long_and_is_told_of_later(mood, httpserver):
    with hostile.serving("json", "silence" if mood == "down" else mood) as url:
        found, stage, courier = rolled_back("http://127.0.0.1:1" if mood == "down" else url)
        returned()
    assert found == rolled_back()[0]
    (rollout,) = rollouts(stage)
    assert rollout.status.outbox
    fake = hosts.GitHub()
    httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
    asked_at(stage, httpserver.url_for("/"))
    for _ in range(40):  # half a second may be too little for an answer on a busy machine: it is asked again
        stage.clock.sleep(4000)
        courier.look(rollouts(stage))
        returned()
        if not rollouts(stage)[0].status.outbox:
            break
    assert [s["state"] for s in fake.statuses if s["context"] == "netpol-canary/shop"] == ["failure"]
    assert len(fake.comments) == 1 and not rollouts(stage)[0].status.outbox


def test_a_mail_server_that_says_nothing_delays_nothing_and_gets_it_once_it_speaks():
    mailbox = {"seconds": 1.0}
    with mail.serving(mail.Silent) as silent:
        mailbox["port"] = silent.server_address[1]
        found, stage, courier = rolled_back(mailbox=mailbox)
        returned()
    assert found == rolled_back()[0] and rollouts(stage)[0].status.outbox
    with mail.serving(mail.Taking) as taking:
        mailbox |= {"port": taking.server_address[1], "seconds": 20.0}
        stage.clock.sleep(4000)
        courier.look(rollouts(stage))
        returned()
    assert not rollouts(stage)[0].status.outbox
    assert ["rolling back" in taking.letters[0], "rolled back" in taking.letters[1]] == [True, True]
    ids = [
        line.split()[1]
        for text in taking.letters
        for line in text.splitlines()
        if line.startswith("X-Netpol")
    ]
    assert [i.rpartition("/")[2] for i in ids] == ["1", "2"]
