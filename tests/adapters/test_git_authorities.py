"""Git over https behind a private certificate authority: with the Secret's `ca.crt` it is read, without it is refused."""

import datetime
import ipaddress
import os
import ssl
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestrator.adapters.git import GitRepository
from orchestrator.adapters.gitprogram import Credentials
from orchestrator.errors import RepositoryError
from tests.raw_repository import RawRepository


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def signed(name, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.UTC)
    found = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    found = found.serial_number(x509.random_serial_number())
    found = found.not_valid_before(now - datetime.timedelta(days=1))
    found = found.not_valid_after(now + datetime.timedelta(days=1))
    for extension in extensions:
        found = found.add_extension(extension, critical=False)
    return found.sign(issuer_key, hashes.SHA256())


def authority(text):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    key = ec.generate_private_key(ec.SECP256R1())
    return name, key, signed(name, key, name, key, x509.BasicConstraints(ca=True, path_length=None))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing is said of requests."""


@pytest.fixture
def server(tmp_path):
    """The URL of a repository on loopback by https, its head, and the certificate of who vouches for it."""
    raw = RawRepository(tmp_path / "web/x.git")
    head = raw.files({"a.yaml": "x"})
    subprocess.run(["git", "--git-dir", str(raw.root), "update-server-info"], check=True)
    name, key, vouching = authority("private")
    own = ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "git")])
    chain = tmp_path / "server.pem"
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + pem(signed(subject, own, name, key, address)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    made = ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: Quiet(*given, directory=os.fspath(tmp_path / "web"))
    )
    made.daemon_threads, made.block_on_close = True, False
    made.socket = context.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{made.server_port}/x.git", head, pem(vouching)
    made.shutdown()
    made.server_close()
    thread.join()


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
