"""On a real node, with a controller alone: an unclear wave that begins to hurt, and what people ask for meanwhile."""

import contextlib
import time

import pytest
import reading
import yaml
from node_scene import CUTS_CLIENT, OWN, eventually
from node_strategy import CLIENT_SHARE, FEW, SERVERS, analyses, said, write
from patience import ENOUGH
from private_https import private_https
from scene import PROGRAM, process

pytestmark = [pytest.mark.cluster, pytest.mark.node]
POLL = 300  # seconds between two polls of Git: whoever waits for one shows it


@contextlib.contextmanager
def controlled(shop, poll=5):
    """A controller over the shop; what it says is in a file, for a pipe that nobody reads would stop it."""
    given = ("--poll", poll, "--listen", "127.0.0.1:0", "--kubeconfig", shop.plane.kubeconfig)
    with process([PROGRAM, "controller", *given], shop.folder / "controller.log"):
        yield


def status(shop):
    return shop.rollout()["status"]


def test_an_inconclusive_wave_whose_clients_begin_to_fail_is_rolled_back(shop):
    """The CNI is late: the cut shows once the wave is paused, when nobody looks."""
    before = shop.policies()
    shop.commit(**CUTS_CLIENT)
    eventually(lambda: shop.value('sum(http_client_requests_total{namespace="front"} offset 40s)') > 0)
    shop.node.agent.kill()
    more = {"count": 2, "windowSeconds": 20}
    write(shop, more, probes=False, metrics=[CLIENT_SHARE, FEW], canary=SERVERS)
    done = shop.run()
    assert done.returncode == 3 and "nobody watches it" in done.stderr, said(done)
    assert status(shop)["pausedFor"] == "inconclusive" and shop.policies() != before
    with controlled(shop):
        eventually(lambda: analyses(shop)[0]["status"]["watch"]["checks"] > 1 or over(shop))
        assert status(shop)["phase"] == "Paused", status(shop)["reason"]
        shop.node.agent.start()
        begun = time.monotonic()
        eventually(lambda: over(shop))
        print(f"rolled back {time.monotonic() - begun:.1f} s after the CNI enforced what cuts the clients")
    found = status(shop)
    assert found["phase"] == "RolledBack" and "client-share in front" in shop.why(), shop.why()
    assert shop.policies() == before


def over(shop):
    return status(shop)["phase"] in ("RolledBack", "Failed", "Succeeded")


@contextlib.contextmanager
def over_https(shop):
    """The shop's repository behind a certificate authority that only the source's Secret knows; the source is there."""
    with private_https(shop.folder, shop.folder / "server.pem") as (address, vouching):
        shop._git("update-server-info")
        body = yaml.safe_load(shop.file.read_text())
        body["metadata"]["namespace"] = OWN
        body["spec"]["git"] = {"url": f"{address}/policies/.git", "secretRef": "git"}
        body["spec"]["identities"] = [
            {"email": "ann@example.com", "user": "ann"}
        ]  # else she counts as anybody
        gates = [{"wave": 1, "approvals": 1}, {"wave": 2, "approvals": 1}]
        steps = [{"count": 1}]
        body["spec"]["strategy"] = {"canary": ["beta"], "steps": steps, "settleSeconds": 1, "gates": gates}
        shop.plane.run(
            "create", "secret", "generic", "git", "-n", OWN, f"--from-literal=ca.crt={vouching.decode()}"
        )
        try:
            shop.node.apply(body)
            yield
        finally:
            shop.plane.run("delete", "secret", "git", "-n", OWN, "--ignore-not-found")


def asked(shop, *words):
    """A person's command; when it was done."""
    done = shop.cli(*words)
    assert done.returncode == 0, said(done)
    return time.monotonic()


def soon(what, since, condition):
    """Wait for it; that it came before the next look at Git says that nobody waited for that."""
    eventually(condition)
    seconds = time.monotonic() - since
    print(f"{what}: {seconds:.1f} s")
    assert seconds < POLL, what


def test_what_people_ask_for_takes_effect_without_the_next_look_at_git(shop):
    """Git is behind https and a private certificate authority, and nobody sends a webhook."""
    shop.commit(**{name: noted(text) for name, text in shop.first().items()})
    with over_https(shop), controlled(shop, POLL):
        eventually(lambda: waits(shop, "approval"))
        first = shop.rollout()["metadata"]["name"]
        soon("abort", asked(shop, "abort", "shop"), lambda: status(shop)["phase"] == "RolledBack")
        eventually(
            lambda: reading.found(shop.plane, reading.SOURCE, "shop", OWN)["status"].get("blockedRevision")
        )
        again = lambda: shop.rollout()["metadata"]["name"] != first  # noqa: E731
        soon("retry", asked(shop, "retry", "shop"), again)
        eventually(lambda: waits(shop, "approval"))
        approved = asked(shop, "approve", "shop", "-m", "looks good")
        soon("approve", approved, lambda: status(shop)["wavesStarted"] == 2)
        eventually(lambda: status(shop)["wave"] == 2 and waits(shop, "approval"))
        asked(shop, "pause", "shop")
        eventually(lambda: waits(shop, "user"))
        asked(shop, "approve", "shop", "--wave", "2", "-m", "looks good")
        resumed = asked(shop, "resume", "shop")
        watching = shop.begin("watch", "shop", "--timeout", str(int(ENOUGH)))
        soon("resume", resumed, lambda: status(shop)["phase"] != "Paused")
        told, _ = watching.communicate(timeout=ENOUGH + ENOUGH)
        assert watching.returncode == 0 and "Succeeded" in told, told
    assert status(shop)["phase"] == "Succeeded"


def noted(text):
    """The same policy with a note: it moves no connection."""
    body = yaml.safe_load(text)
    body["metadata"]["annotations"] = {"example.com/note": "checked"}
    return yaml.safe_dump(body)


def waits(shop, why):
    try:
        found = status(shop)
    except (ValueError, KeyError):
        return False
    return found.get("phase") == "Paused" and found.get("pausedFor") == why
