"""A folder served over https on loopback, behind a certificate authority that nobody else knows."""

import contextlib
import datetime
import ipaddress
import os
import ssl
from functools import partial
from http.server import SimpleHTTPRequestHandler

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback import Quiet, serving

MUST = (x509.BasicConstraints, x509.KeyUsage)  # critical extensions
USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def signed(name, key, issuer, issuer_key, *extensions):
    """A certificate for a key, with all that RFC 5280 asks for: Python 3.13 and newer refuse one without."""
    now = datetime.datetime.now(datetime.UTC)
    found = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    found = found.serial_number(x509.random_serial_number())
    found = found.not_valid_before(now - datetime.timedelta(days=1))
    found = found.not_valid_after(now + datetime.timedelta(days=1))
    known = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    for extension in (known, by, *extensions):
        found = found.add_extension(extension, critical=isinstance(extension, MUST))
    return found.sign(issuer_key, hashes.SHA256())


def authority(text):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    key = ec.generate_private_key(ec.SECP256R1())
    signs = x509.KeyUsage(**{**dict.fromkeys(USES, False), "key_cert_sign": True})
    return name, key, signed(name, key, name, key, x509.BasicConstraints(ca=True, path_length=None), signs)


class Files(Quiet, SimpleHTTPRequestHandler):
    """Of a folder."""


def private_tls(chain):
    """For a server on loopback: its SSLContext, and the certificate of who vouches for it; `chain` is the file for its key."""
    name, key, vouching = authority("private")
    own = ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "git")])
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + pem(signed(subject, own, name, key, address)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, pem(vouching)


@contextlib.contextmanager
def private_https(folder, chain):
    """Its address, and the certificate of who vouches for it; `chain` is the file for the server's own key."""
    context, vouching = private_tls(chain)
    with serving(partial(Files, directory=os.fspath(folder)), tls=context) as server:
        yield server.url, vouching
