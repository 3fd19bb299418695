"""Calls in another's name carry that name, and never this process's own credentials beside a person's token."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import Refused


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        """Says nothing."""

    def do_GET(self):
        """Which resources there are: none."""
        self.answered({"kind": "APIGroupList", "groups": [], "versions": [], "gitVersion": "v1.34.0"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.headers)
        self.answered({"status": {"userInfo": {"username": "x", "groups": []}}})

    def answered(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server():
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.daemon_threads, found.block_on_close, found.seen = True, False, []
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def own(server, tmp_path, user):
    """The cluster of a kubeconfig with these credentials."""
    body = {
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "x", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(body))
    return connect(str(path))


@pytest.mark.parametrize("user", [{"token": "own-secret"}, {"username": "own", "password": "own-secret"}])
def test_a_persons_token_is_sent_alone(server, tmp_path, user):
    cluster = own(server, tmp_path, user)
    cluster.with_token("persons-token").user()
    assert server.seen[-1].get_all("Authorization") == ["Bearer persons-token"]
    assert not any("own" in value for value in server.seen[-1].values())


def test_a_client_certificate_is_not_taken_along(server, tmp_path):
    cluster = own(server, tmp_path, {"token": "x"})
    cluster._api.configuration.cert_file = cluster._api.configuration.key_file = str(tmp_path / "own.pem")
    found = cluster.with_token("persons-token")._api.configuration
    assert (found.cert_file, found.key_file, found.refresh_api_key_hook) == (None, None, None)
    assert found.host == cluster._api.configuration.host


def test_one_persons_token_does_not_become_the_process_own(server, tmp_path):
    cluster = own(server, tmp_path, {"token": "own-secret"})
    cluster.with_token("persons-token").user()
    cluster.user()
    assert server.seen[-1]["Authorization"].endswith("own-secret")


def test_impersonation_names_the_user_and_each_group(server, tmp_path):
    cluster = own(server, tmp_path, {"token": "own-secret"})
    cluster.impersonating("oidc:ann@example.com", ("a", "b c")).user()
    assert server.seen[-1].get_all("Impersonate-User") == ["oidc:ann@example.com"]
    assert server.seen[-1].get_all("Impersonate-Group") == ["a", "b c"]
    cluster.user()
    assert "Impersonate-User" not in server.seen[-1]


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("system:admin", ()),
        ("ann", ("system:masters",)),
        (" system:admin", ()),
        ("ann", ("a", "system:nodes ")),
        ("ann\r\nImpersonate-Group: system:masters", ()),
        ("", ()),
        ("ünn", ()),
        ("x" * 300, ()),
        ("ann", tuple(f"g{n}" for n in range(65))),
    ],
)
def test_names_of_the_system_and_those_no_header_carries_are_refused(server, tmp_path, user, groups):
    with pytest.raises(Refused):
        own(server, tmp_path, {"token": "x"}).impersonating(user, groups)
    assert server.seen == []


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "x" * 20_000, "ü"])
def test_what_is_no_token_is_not_sent(server, tmp_path, token):
    with pytest.raises(Refused):
        own(server, tmp_path, {"token": "x"}).with_token(token)
