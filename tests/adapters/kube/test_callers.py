"""Calls in another's name carry that name, and never this process's own credentials beside a person's token."""

import loopback
import pytest

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import Refused


class Handler(loopback.Answering):
    def do_GET(self):
        """Which resources there are: none."""
        self.whole(200, {"kind": "APIGroupList", "groups": [], "versions": [], "gitVersion": "v1.34.0"})

    def do_POST(self):
        self.posted()
        self.server.seen.append(self.headers)
        self.whole(200, {"status": {"userInfo": {"username": "x", "groups": []}}})


@pytest.fixture
def server():
    with loopback.serving(Handler, seen=[]) as found:
        yield found


def own(server, tmp_path, user):
    """The cluster of a kubeconfig with these credentials."""
    return connect(loopback.kubeconfig(tmp_path / "kubeconfig", server.url, **user))


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
