"""`ui` as a process: to a pod of the Service through the API server, until Ctrl-C, and what goes wrong in one line."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from http.cookiejar import CookieJar

import pytest
from forwarding_api_server import ForwardingApiServer
from patience import ENOUGH
from sockets import closed_port

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.ui.opened_pages import PagesConnections
from orchestrator.cli.ui.pages_pod import PagesPod, pages_pods
from orchestrator.cli.ui.signed_in import SignedIn
from orchestrator.errors import NotFound, PortError, Refused, Unreachable
from orchestrator.ports import Kind
from orchestrator.sandbox.cluster import MemoryCluster

COMMAND = [sys.executable, "-c", "from orchestrator.cli.main import main; main()"]


@pytest.fixture
def api():
    made = []

    def begin(pods):
        made.append(ForwardingApiServer(pods))
        return made[-1]

    yield begin
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def begin(tmp_path):
    """A function that begins the command against a server."""
    made = []

    def start(server, *args, user=None):
        given = ["ui", "--no-browser", "--kubeconfig", server.kubeconfig(tmp_path / "config", user), *args]
        process = subprocess.Popen(
            [*COMMAND, *given],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        made.append(process)
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate()


def said(process):
    out, err = process.communicate(timeout=ENOUGH)
    return process.returncode, out, err.splitlines()


def test_it_opens_the_pages_as_the_caller_and_ends_with_ctrl_c(api, served, begin):
    server = api({"pages-0": None, "pages-1": served().port})
    process = begin(server)
    url = next(line.strip() for line in process.stdout if line.startswith("  http://"))
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?key=[\w-]{20,}", url)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    for address in (url, url.partition("?")[0]):
        text = browser.open(
            urllib.request.Request(address, headers={"Accept": "text/html"}), timeout=ENOUGH
        ).read()
        assert b"ann@example.com" in text
    assert set(server.forwarded) == {"pages-1"}
    process.send_signal(signal.SIGINT)
    code, _, err = said(process)
    assert (code, err) == (0, [])


@pytest.mark.parametrize(
    ("pods", "refused", "code", "text"),
    [
        ({}, None, 3, "no pod of the Service netpol-canary/netpol-canary is ready; it has no pods"),
        ({"pages-0": 0}, 403, 1, "pages-0 is not for you"),
        ({"pages-0": None}, None, 2, 'pods "pages-0" not found'),
    ],
)
def test_what_stands_in_the_way_is_one_line(api, begin, pods, refused, code, text):
    server = api(pods)
    server.refused = refused
    found, out, err = said(begin(server))
    assert found == code and out == "" and len(err) == 1 and text in err[0], err


def test_a_port_of_the_pod_where_nobody_listens_is_one_line(api, begin):
    code, _, err = said(begin(api({"pages-0": closed_port()})))
    assert code == 3 and len(err) == 1 and "the pages gave no answer" in err[0], err


def test_a_pod_that_stops_answering_is_left_for_the_next_and_a_write_is_not_sent_twice(api, served, tmp_path):
    first, second = served().port, served().port
    server = api({"pages-0": first, "pages-1": closed_port(), "pages-2": second})
    connections = PagesConnections(
        connect(server.kubeconfig(tmp_path / "config")), "netpol-canary", "netpol-canary"
    )
    pages = SignedIn(connections.open, lambda: server.token, ENOUGH, connections.lost)
    assert pages.sign_in() and set(server.forwarded) == {"pages-0"}

    def asked(method):
        server.forwarded.clear()
        with pages.ask(method, "/", {"Accept": "text/html"}) as answer:
            return answer.status, list(dict.fromkeys(server.forwarded))

    server.pods["pages-0"] = closed_port()
    assert asked("GET") == (200, ["pages-0", "pages-1", "pages-2"])
    assert asked("GET") == (200, ["pages-2"])
    server.pods |= {"pages-0": first, "pages-2": closed_port()}
    with pytest.raises(Unreachable, match="gave no answer"):
        asked("POST")
    assert server.forwarded == ["pages-2"]
    assert asked("GET")[1] == ["pages-0"]
    server.pods["pages-0"] = closed_port()
    with pytest.raises(Unreachable, match="gave no answer"):
        asked("GET")
    assert sorted(server.forwarded) == ["pages-0", "pages-1", "pages-2"]


def test_who_learns_late_that_a_pod_is_silent_does_not_leave_the_next_one(api, served, tmp_path):
    port = served().port
    server = api({"pages-0": port, "pages-1": port})
    connections = PagesConnections(
        connect(server.kubeconfig(tmp_path / "config")), "netpol-canary", "netpol-canary"
    )
    early, late = connections.open(), connections.open()
    assert connections.lost(early) == 2
    connections.open().close()
    server.pods = {"pages-new": port, **server.pods}
    connections.lost(late)
    connections.open().close()
    assert server.forwarded == ["pages-0", "pages-0", "pages-1", "pages-1"]


def test_a_service_that_is_not_there_is_named(api, begin):
    code, _, err = said(begin(api({}), "--service", "other"))
    assert code == 2 and "there is no Service other in the namespace netpol-canary" in err[0]


def test_requests_are_said_without_the_token(api, served, begin):
    server = api({"pages-0": served().port})
    process = begin(server, "-v", "7")
    assert any(line.startswith("  http://") for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, _, err = said(process)
    text = "\n".join(err)
    assert "/portforward?ports=8080: 101 in" in text and "anns-token" not in text


SERVICE, POD = Kind("v1", "Service"), Kind("v1", "Pod")


def standing(*states, target="http", selector=True):
    cluster = MemoryCluster()
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
    spec = {"ports": [{"name": "metrics", "port": 9}, {"name": "http", "port": 80, "targetPort": target}]}
    spec |= {"selector": {"app": "x"}} if selector else {}
    cluster.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a"}, "spec": spec}
    )
    for number, (phase, ready) in enumerate(states):
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"p{number}", "namespace": "a", "labels": {"app": "x"}},
                "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
                "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
            }
        )
    return cluster


def test_a_pod_that_is_ready_is_chosen_with_the_port_that_the_service_names():
    states = [("Pending", False), ("Running", False), ("Running", True)]
    assert pages_pods(standing(*states), "a", "s") == [PagesPod("p2", 8080)]
    assert pages_pods(standing(*states, target=8443), "a", "s") == [PagesPod("p2", 8443)]


def test_where_none_is_ready_it_says_how_they_stand():
    with pytest.raises(PortError, match="2 pods: p0 is Pending, p1 is not ready"):
        pages_pods(standing(("Pending", False), ("Running", False)), "a", "s")
    with pytest.raises(Refused, match="selects no pods"):
        pages_pods(standing(selector=False), "a", "s")
    with pytest.raises(NotFound, match="there is no Service t"):
        pages_pods(standing(), "a", "t")
