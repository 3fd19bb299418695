"""A token in a file counts as it stands there, however it came; what is none is one line that does not show it."""

import os
import threading

import pytest
from patience import ENOUGH
from werkzeug import Response

from orchestrator.adapters.http.client import Client
from orchestrator.adapters.identities.file_token import FileToken
from orchestrator.errors import MetricError


@pytest.fixture
def file(tmp_path):
    """`file(text)`: takes the place of what is there, by a rename."""
    path = tmp_path / "token"

    def put(text):
        fresh = tmp_path / "fresh"
        fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
        fresh.rename(path)

    put("token-1\n")
    put.path = path
    return put


@pytest.fixture
def client(httpserver, file):
    httpserver.expect_request("/x").respond_with_json({})
    return Client(httpserver.url_for("/"), MetricError, identity=FileToken("thanos", str(file.path)))


def sent(httpserver):
    return [request.headers["Authorization"] for request, _ in httpserver.log]


def test_a_file_that_takes_its_place_counts_at_once(httpserver, client, file):
    client.ask("GET", "x")
    file("token-2\n\n")
    client.ask("GET", "x")
    assert sent(httpserver) == ["Bearer token-1", "Bearer token-2"]


def test_as_kubernetes_does_it_by_links_of_directories(httpserver, client, tmp_path):
    for number in (1, 2):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}/token").write_text(f"linked-{number}")
    (tmp_path / "token").unlink()
    (tmp_path / "token").symlink_to("..data/token")
    for number in (1, 2):
        (tmp_path / "next").symlink_to(f"..{number}")
        os.replace(tmp_path / "next", tmp_path / "..data")
        client.ask("GET", "x")
    assert sent(httpserver) == ["Bearer linked-1", "Bearer linked-2"]


def test_a_refused_token_is_sent_again_only_where_another_has_come(httpserver, file):
    def answer(request):
        file("token-2")
        return Response("{}", 401 if request.headers["Authorization"] == "Bearer token-1" else 200)

    httpserver.expect_request("/y").respond_with_handler(answer)
    httpserver.expect_request("/never").respond_with_data("no", 401)
    client = Client(httpserver.url_for("/"), MetricError, identity=FileToken("thanos", str(file.path)))
    assert client.ask("GET", "y").status == 200 and sent(httpserver) == ["Bearer token-1", "Bearer token-2"]
    assert client.ask("GET", "never").status == 401 and len(httpserver.log) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n\t\n", "is empty"),
        ("hunter2 hunter2", "holds something that is no token"),
        ("hunter2\nhunter2", "holds something that is no token"),
        ("hunter2\r\nX-Evil: 1", "holds something that is no token"),
        (b"hunter2\xff\x00", "holds something that is no token"),
        ("hunter2" * 10_000, "holds something that is no token"),
        ("hunter2" + "\n" * 100_000, "holds something that is no token"),
    ],
)
def test_what_is_no_token_is_said_without_it_and_nobody_is_asked(httpserver, client, file, text, said):
    file(text)
    with pytest.raises(MetricError, match=f"was not asked: the file of the token thanos {said}$") as error:
        client.ask("GET", "x")
    assert "hunter2" not in str(error.value) and httpserver.log == []


def test_a_file_that_is_gone_is_said_so_and_the_old_token_not_used(httpserver, client, file):
    client.ask("GET", "x")
    file.path.unlink()
    with pytest.raises(MetricError, match=r"the file of the token thanos: No such file or directory$"):
        client.ask("GET", "x")
    file.path.mkdir()
    with pytest.raises(MetricError, match="the file of the token thanos"):
        client.ask("GET", "x")
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("special", ["/dev/zero", "fifo"])
def test_what_is_no_file_is_not_waited_for(httpserver, client, file, special):
    file.path.unlink()
    os.mkfifo(file.path) if special == "fifo" else file.path.symlink_to(special)
    failed = []

    def ask():
        with pytest.raises(MetricError, match="is no regular file"):
            client.ask("GET", "x")
        failed.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ENOUGH)
    assert failed and httpserver.log == []


def test_old_and_new_tokens_are_blotted_out(client, file):
    client.ask("GET", "x")
    file("token-2")
    client.ask("GET", "x")
    assert client.clean("Bearer token-1 token-2") == "Bearer *** ***" and "token-" not in repr(client)
