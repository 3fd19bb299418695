"""A certificate for the servers that the agent speaks TLS with."""

import ssl
import subprocess

import pytest
from patience import ENOUGH


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A TLS server's context with a certificate that nobody trusts."""
    folder = tmp_path_factory.mktemp("tls")
    names = [str(folder / "key.pem"), str(folder / "cert.pem")]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", names[0], "-out", names[1], "-days", "1", "-subj", "/CN=probe.example"]
    subprocess.run(command, check=True, capture_output=True, timeout=ENOUGH)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(names[1], names[0])
    return context
