"""Connections that are kept: open while the peer acknowledges, broken by a reset or by silence, closed by a server."""

import json
import select
import socket
import threading

import pytest
from sockets import HOST, SHORT, answering, closed_port, listener, page, silent

from orchestrator.probe import agent
from orchestrator.probe.agent import Target


def looked(held, seconds):
    """The state once the connection has been looked at so often, as if a second passed each time."""
    now = held.opened
    for _ in range(seconds):
        now += 1
        if held.state == "open":  # what the peer is about to say, where it was asked something
            select.select([held.sock], [], [], 0.3 if held.waiting or held.target.protocol == "UDP" else 0.05)
        held.look(now)
    return held


@pytest.mark.parametrize("check", ["connect", "http"])
def test_a_connection_that_is_used_stays_open(check):
    with page() as port:
        held = looked(agent.Held(Target(HOST, port, check=check), SHORT), 5)
        assert held.row(held.opened + 5)[:4] == ["open", "", 5.0, 0]
        held.sock.close()


def test_a_tls_connection_stays_open_and_ends_with_its_server(certificate):
    clients = []
    with answering(lambda c: clients.append(certificate.wrap_socket(c, server_side=True))) as port:
        held = looked(agent.Held(Target(HOST, port, check="tls"), SHORT), 3)
        assert held.state == "open", held.row(0)
        for client in clients:
            client.close()
        assert looked(held, 3).row(0)[:2] == ["closed", "closed"]


def test_the_listener_is_asked_its_nonce_over_tcp_and_udp():
    with listener() as port:
        for protocol in ("TCP", "UDP"):
            held = looked(agent.Held(Target(HOST, port, protocol, nonce=True), SHORT), 8)
            assert held.state == "open", held.row(0)
            held.sock.close()


def test_a_reset_breaks_it_and_says_when():
    clients = []
    with answering(clients.append) as port:
        held = looked(agent.Held(Target(HOST, port), SHORT), 2)
        assert held.state == "open"
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        looked(held, 3)
    state, answer, lasted, ago = held.row(held.opened + 10)[:4]
    assert (state, answer) == ("broke", "reset") and 0 < lasted <= 3 and ago >= 7


def test_a_server_that_closes_in_an_orderly_way_did_not_cut_it():
    with answering(lambda c: c.close()) as port:
        held = looked(agent.Held(Target(HOST, port), SHORT), 2)
    assert held.row(held.opened + 2)[:2] == ["closed", "closed"]


def test_a_slow_server_breaks_nothing():
    with answering(silent) as port:
        held = agent.Held(Target(HOST, port), SHORT)
        held.target = held.target._replace(check="http")
        assert looked(held, 9).state == "open"
        held.sock.close()


def test_silence_over_udp_breaks_it_after_some_seconds():
    heard = []

    def once(sock, data, sender):
        heard.append(data)
        if len(heard) == 1:
            sock.sendto(data[:2] + b"\x81\x80" + data[4:], sender)

    with answering(once, socket.SOCK_DGRAM) as port:
        held = looked(agent.Held(Target(HOST, port, "UDP", "dns"), SHORT), agent.SILENCE + 2)
    state, answer, lasted, ago = held.row(held.opened + 9)[:4]
    assert (state, answer) == ("broke", "timeout")
    assert lasted < 1 and ago > 8, "it counts as cut since the peer was last heard"


def test_what_cannot_be_opened_was_never_held_and_a_plain_udp_flow_says_nothing():
    assert agent.Held(Target(HOST, closed_port()), SHORT).row(0)[:2] == ["never", "refused"]
    assert agent.Held(Target(HOST, 9, "UDP"), SHORT).row(0)[:2] == ["never", "unsupported"]


def test_how_long_the_peer_was_quiet_is_told_by_its_acknowledgements():
    with page() as port:
        held = agent.Held(Target(HOST, port), SHORT)
        assert held.quiet(held.heard + 60) < 2.0
        held.sock.close()


def test_the_kernel_is_told_to_give_up_soon_after_silence():
    with answering(silent) as port:
        held = agent.Held(Target(HOST, port), SHORT)
        options = [
            held.sock.getsockopt(socket.IPPROTO_TCP, n) for n in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)
        ]
        assert options == [1, 1]
        assert held.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == agent.SILENCE * 1000
        held.sock.close()


def test_holding_ends_at_its_limit_when_told_and_when_nothing_is_left(capsys):
    with answering(silent) as port:
        text = json.dumps({"mode": "hold", "seconds": 1, "probes": [{"host": HOST, "port": port}]})
        work = agent.read(text)
        done = agent.hold(work, threading.Event())
        assert done["ended"] == "limit" and done["results"][0][0] == "open"
        first = json.loads(capsys.readouterr().out.splitlines()[0])
        assert first["ended"] == "running" and first["results"][0][0] == "open"
        stop = threading.Event()
        stop.set()
        assert agent.hold(work, stop)["ended"] == "stopped"
    probes = [{"host": HOST, "port": closed_port()}]
    gone = agent.read(json.dumps({"mode": "hold", "seconds": 60, "probes": probes}))
    done = agent.hold(gone, threading.Event())
    assert done["ended"] == "over" and done["seconds"] < 5
