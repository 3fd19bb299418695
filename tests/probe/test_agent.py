"""The probe agent tells truly what sockets on this machine answer, and keeps within its bounds."""

import ast
import json
import socket
import sys
import threading
from pathlib import Path

import pytest
from patience import ran
from sockets import (
    HOST,
    SHORT,
    answering,
    asked,
    closed_port,
    full_port,
    listener,
    page,
    reset,
    served,
    silent,
)

from orchestrator.probe import agent
from orchestrator.probe.agent import Target


def test_an_open_port_is_connected_a_closed_one_refused_a_silent_one_timed_out():
    with answering(silent) as port:
        assert asked(port)[0] == "connected"
    assert asked(closed_port())[0] == "refused"
    with full_port() as port:
        assert asked(port)[0] == "timeout"


def test_a_host_without_an_address_is_unresolved_and_a_network_without_a_route_unreachable(monkeypatch):
    assert agent.attempt(Target("no-such-host.invalid", 80), SHORT)[0] == "unresolved"
    assert agent.named(OSError(113, "No route to host"))[0] == "unreachable"


def test_a_resolver_that_says_nothing_does_not_hold_up_the_others(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(agent.socket, "getaddrinfo", lambda *a, **k: released.wait(20) and [])
    found = agent.attempt(Target("slow.example", 80), 0.1)
    released.set()
    assert found == ("unresolved", "nobody says its address in time")


@pytest.mark.parametrize("check", ["http", "tls", "dns"])
def test_a_port_that_accepts_and_then_is_silent_or_resets_or_closes_is_no_answer(check):
    for handle, answer in ((silent, "timeout"), (reset, "reset"), (lambda c: c.close(), ("closed", "reset"))):
        with answering(handle) as port:
            found = asked(port, check=check)[0]
            assert found in answer if isinstance(answer, tuple) else found == answer


def test_http_is_connected_whatever_the_server_says_and_the_status_is_told():
    with page() as port:
        assert asked(port, check="http") == ("connected", "HTTP 503")
    with answering(lambda c: c.sendall(b"220 mail\r\n")) as port:
        assert asked(port, check="http") == ("connected", "not HTTP")


def test_tls_needs_a_handshake_but_no_trust(certificate):
    with answering(lambda c: certificate.wrap_socket(c, server_side=True).close()) as port:
        answer, detail = asked(port, check="tls")
        assert answer == "connected" and detail.startswith("TLSv1")
    with page() as port:
        answer, detail = asked(port, check="tls")
        assert answer == "connected" and detail.startswith("no TLS")


def test_udp_that_is_answered_is_connected_refused_by_icmp_refused_and_silence_a_timeout():
    with answering(lambda sock, data, sender: sock.sendto(b"x", sender), socket.SOCK_DGRAM) as port:
        assert asked(port, "UDP")[0] == "connected"
    assert asked(closed_port(socket.SOCK_DGRAM), "UDP")[0] == "refused"
    with served(socket.SOCK_DGRAM) as sock:
        assert asked(sock.getsockname()[1], "UDP") == ("timeout", "silence")


def resolver(sock, data, sender):
    assert b"kubernetes" in data
    sock.sendto(data[:2] + b"\x81\x83" + data[4:], sender)


def test_dns_is_connected_by_any_answer_to_the_question_and_by_nothing_else():
    with answering(resolver, socket.SOCK_DGRAM) as port:
        assert asked(port, "UDP", "dns") == ("connected", "DNS rcode 3")
    with answering(lambda s, d, a: s.sendto(b"hello", a), socket.SOCK_DGRAM) as port:
        assert asked(port, "UDP", "dns") == ("connected", "not DNS")

    def over_tcp(client):
        query = client.recv(512)[2:]
        client.sendall(len(query).to_bytes(2, "big") + query[:2] + b"\x81\x80" + query[4:])

    with answering(over_tcp) as port:
        assert asked(port, check="dns") == ("connected", "DNS rcode 0")


def test_sctp_is_connected_refused_or_said_to_be_unsupported_but_never_anything_else():
    assert asked(closed_port(), "SCTP")[0] in ("unsupported", "refused")


def test_our_listener_gives_the_nonce_back_and_another_one_is_found_out(capsys):
    with listener() as port:
        assert asked(port, nonce=True) == ("connected", "nonce")
        assert asked(port, "UDP", nonce=True) == ("connected", "nonce")
        assert asked(port, "UDP", "dns")[0] == "timeout"
    with answering(lambda c: c.sendall(b"x" * 200)) as port:
        assert asked(port, nonce=True)[0] == "other"


def work(*targets, **more):
    probes = [t._asdict() for t in targets]
    given = {"mode": "test", "seconds": 10, "stable": 1, "timeout": SHORT, "probes": probes, **more}
    return agent.read(json.dumps(given))


def test_rounds_end_when_all_has_been_as_expected_for_a_while():
    with answering(silent) as port:
        targets = [Target(HOST, port), Target(HOST, closed_port(), reach=False)]
        done = agent.test(work(*targets), threading.Event())
    assert done["ended"] == "expected"
    assert [(r[0], r[2], r[3], r[4]) for r in done["results"]] == [
        ("connected", 2, 2, 1),
        ("refused", 2, 0, 1),
    ]


def test_threads_that_begin_later_have_the_stack_that_they_had():
    before = threading.stack_size()
    agent.test(work(Target(HOST, closed_port(), reach=False)), threading.Event())
    assert threading.stack_size() == before


def test_what_is_not_expected_is_tried_until_it_has_not_changed_for_a_while():
    done = agent.test(work(Target(HOST, closed_port()), stable=1), threading.Event())
    (row,) = done["results"]
    assert done["ended"] == "unchanged" and row[0] == "refused" and row[2] >= 2 and row[4] == 1


@pytest.mark.parametrize("reach", [True, False])
def test_what_a_new_pod_sees_before_policies_are_in_force_for_it_is_not_believed(monkeypatch, reach):
    first, then = ("connected", "timeout") if reach else ("timeout", "connected")
    answers = iter([first] * 2)
    monkeypatch.setattr(agent, "attempt", lambda target, timeout: (next(answers, then), ""))
    done = agent.test(work(Target(HOST, 1, reach=reach), stable=1.5), threading.Event())
    assert done["ended"] == "unchanged" and done["results"][0][0] == then


def test_a_denial_that_is_enforced_late_is_waited_for(monkeypatch):
    answers = iter(["connected"] * 3)
    monkeypatch.setattr(agent, "attempt", lambda target, timeout: (next(answers, "timeout"), ""))
    done = agent.test(work(Target(HOST, 1, reach=False), stable=2), threading.Event())
    assert done["ended"] == "expected" and done["results"][0][:5] == ["timeout", 0.0, 6, 3, 1]


def test_a_refusal_now_and_a_timeout_then_are_the_same_denial(monkeypatch):
    answers = iter(["refused", "timeout"] * 50)
    monkeypatch.setattr(agent, "attempt", lambda target, timeout: (next(answers), ""))
    done = agent.test(work(Target(HOST, 1), stable=1), threading.Event())
    assert done["ended"] == "unchanged" and done["results"][0][4] == 1


def test_answers_that_keep_changing_are_not_settled_when_the_time_is_over(monkeypatch):
    answers = iter(["connected", "refused"] * 50)
    monkeypatch.setattr(agent, "attempt", lambda target, timeout: (next(answers), ""))
    done = agent.test(work(Target(HOST, 1), seconds=2), threading.Event())
    assert done["ended"] == "limit" and done["results"][0][4] == 0


def test_a_list_is_tried_in_parallel_within_its_bounds():
    with full_port() as port:
        targets = [Target(HOST, port, reach=False)] * agent.MOST_THREADS
        done = agent.test(work(*targets), threading.Event())
    assert done["ended"] == "expected"
    assert done["seconds"] < SHORT * agent.MOST_THREADS / 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ('{"mode": "guess"}', "there is no mode guess"),
        (json.dumps({"mode": "test", "probes": [{"host": "x", "port": 1}] * 401}), "more than 400 probes"),
        (" " * 70_000, "more than 65536 bytes"),
    ],
)
def test_work_that_cannot_be_read_ends_with_2_and_says_why(text, said, monkeypatch, capsys, tmp_path):
    message = tmp_path / "message"
    message.touch()
    monkeypatch.setenv(agent.MESSAGE, str(message))
    monkeypatch.setattr(sys, "argv", ["agent.py", text])
    assert agent.main() == 2
    assert said in message.read_text() and said in capsys.readouterr().err


def test_it_explains_itself(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["agent.py", "--help"])
    assert agent.main() == 0
    assert agent.WORK in capsys.readouterr().out


def test_as_a_program_of_its_own_it_writes_the_message_and_the_log_and_exits_with_0(tmp_path):
    message = tmp_path / "message"
    message.touch()
    probes = [{"host": HOST, "port": closed_port(), "reach": False}]
    text = json.dumps({"mode": "test", "seconds": 10, "stable": 1, "probes": probes})
    done = ran(sys.executable, "-I", agent.__file__, env={agent.WORK: text, agent.MESSAGE: str(message)})
    assert done.returncode == 0, done.stderr
    told = json.loads(message.read_text())
    assert told["results"][0][0] == "refused" and told["ended"] == "expected"
    first, *_, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["answer"] == "refused" and last == told


def test_a_message_that_is_too_long_says_how_many_results_the_log_has():
    rows = [["connected", 0.003, 2, 2, 1, "HTTP 200"]] * 400
    text = agent.fitting(agent.summary("test", "expected", 0.0, rows))
    assert len(text) <= 4096
    assert json.loads(text)["results"] == "in the log" and json.loads(text)["count"] == 400
    fits = agent.fitting(agent.summary("test", "expected", 0.0, rows[:80]))
    assert json.loads(fits)["results"] == rows[:80]


def test_it_is_a_file_of_python_3_9_that_imports_the_standard_library_alone():
    tree = ast.parse(Path(agent.__file__).read_text(), feature_version=(3, 9))
    names = {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {n.split(".")[0] for n in names} <= sys.stdlib_module_names
