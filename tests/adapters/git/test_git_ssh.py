"""Over ssh: with the Secret's key, to the host whose key is known, and to no other."""

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from git_folder import begun, commit
from patience import ENOUGH

from orchestrator.adapters.git.program import Credentials
from orchestrator.adapters.git.repository import GitRepository
from orchestrator.errors import BadInput, RepositoryError

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
pytestmark = pytest.mark.skipif(
    SSHD is None or not Path("/run/sshd").is_dir(), reason="needs sshd (openssh-server) and its /run/sshd"
)


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.read_text(), path.with_suffix(".pub").read_text()


@pytest.fixture
def server(tmp_path):
    """An sshd of our own on loopback: port, the client's private key, the host's public key."""
    _, host = keygen(tmp_path / "host")
    private, public = keygen(tmp_path / "client")
    (tmp_path / "authorized").write_text(public)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "authorized",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": "none",
    }
    (tmp_path / "sshd_config").write_text("".join(f"{k} {v}\n" for k, v in options.items()))
    log = (tmp_path / "sshd.log").open("w")
    child = subprocess.Popen([SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=log)
    try:
        end = time.monotonic() + ENOUGH
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert child.poll() is None and time.monotonic() < end, (tmp_path / "sshd.log").read_text()
        yield port, private, f"[127.0.0.1]:{port} {host}"
    finally:
        child.terminate()
        child.wait(ENOUGH)
        log.close()


def test_a_repository_over_ssh(server, tmp_path):
    port, private, known = server
    root = tmp_path / "repo"
    begun(root)
    (root / "a.yaml").write_text("x")
    commit(root, "first")
    url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{root}"
    good = GitRepository(url, tmp_path / "one", credentials=Credentials(ssh_key=private, known_hosts=known))
    assert good.files(good.resolve()) == {"a.yaml": b"x"}
    other, _ = keygen(tmp_path / "other")
    _, impostor = keygen(tmp_path / "impostor")
    for key, hosts in ((other, known), (private, f"[127.0.0.1]:{port} {impostor}")):
        bad = GitRepository(
            url, tmp_path / "two", credentials=Credentials(ssh_key=key, known_hosts=hosts), timeout=20
        )
        with pytest.raises(RepositoryError) as caught:
            bad.resolve()
        assert "PRIVATE KEY" not in str(caught.value)
    with pytest.raises(BadInput, match="ssh needs the server's host keys"):
        GitRepository(url, tmp_path / "three", credentials=Credentials(ssh_key=private))
