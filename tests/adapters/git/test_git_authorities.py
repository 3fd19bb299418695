"""Git over https behind a private certificate authority: with the Secret's `ca.crt` it is read, without it is refused."""

import subprocess

import pytest
from private_https import authority, pem, private_https
from raw_repository import RawRepository

from orchestrator.adapters.git.program import Credentials
from orchestrator.adapters.git.repository import GitRepository
from orchestrator.errors import RepositoryError


@pytest.fixture
def server(tmp_path):
    """The URL of a repository on loopback by https, its head, and the certificate of who vouches for it."""
    raw = RawRepository(tmp_path / "web/x.git")
    head = raw.files({"a.yaml": "x"})
    subprocess.run(["git", "--git-dir", str(raw.root), "update-server-info"], check=True)
    with private_https(tmp_path / "web", tmp_path / "server.pem") as (address, vouching):
        yield f"{address}/x.git", head, vouching


def test_with_the_key_ca_crt_of_the_secret_it_is_read(server, tmp_path):
    url, head, vouching = server
    credentials = Credentials.from_secret({"ca.crt": vouching})
    source = GitRepository(url, tmp_path / "c", credentials=credentials)
    assert source.resolve() == head and source.files(head) == {"a.yaml": b"x"}


@pytest.mark.parametrize("given", [{}, {"ca.crt": pem(authority("another")[2])}, {"ca.crt": b"no PEM"}])
def test_without_it_or_with_another_s_it_is_refused_in_one_line(server, tmp_path, given):
    source = GitRepository(server[0], tmp_path / "c", credentials=Credentials.from_secret(given))
    with pytest.raises(RepositoryError) as caught:
        source.resolve()
    said = str(caught.value)
    assert "\n" not in said and said.startswith(server[0]) and "certificate" in said.lower()
