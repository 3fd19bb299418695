"""Builds the Dockerfile with buildah on base images made here, since no registry is asked.

A Debian tree with Python and pip stands for the image of Python, and kubectl of the harness for its own.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from images import ROOT, cache, tree
from patience import ENOUGH

NAME = "netpol-canary.test/netpol-canary:test"
BASE, KUBECTL = "localhost/netpol-canary-base:test", "localhost/netpol-canary-kubectl:test"
PACKAGES = "ca-certificates,python3,python3-pip,python3-venv,python-is-python3"
BUILDING_SECONDS = 3600
COPIED = ("/etc/ssl/certs/ca-certificates.crt",)
# What tells programs of this machine how to reach the package indexes that are reached here.
PASSED = (
    "PIP_",
    "UV_",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


def missing():
    """What is lacking to build an image here; empty where nothing is."""
    return next((p for p in ("buildah", "mmdebstrap") if shutil.which(p) is None), "")


@functools.cache
def storage():
    """Flags of every buildah command: layers are kept between runs in the tests' cache; copied where nothing overlays."""
    for driver in ("overlay", "vfs"):
        root = cache() / f"buildah-{driver}"
        flags = ["--storage-driver", driver, "--root", str(root / "root"), "--runroot", str(root / "run")]
        tried = subprocess.run(["buildah", *flags, "info"], capture_output=True, timeout=ENOUGH, check=False)
        if tried.returncode == 0:
            break
    return flags


def buildah(*args, seconds=BUILDING_SECONDS):
    done = subprocess.run(
        ["buildah", *storage(), *(str(a) for a in args)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, f"buildah {args[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout.strip()


def build(kubectl, archive):
    """Build it, and write it as an OCI archive for containerd; the image's name."""
    _base()
    _kubectl(kubectl)
    given = ["--build-arg", f"BASE={BASE}", "--build-arg", f"KUBECTL={KUBECTL}"]
    wheels = os.environ.get("PIP_FIND_LINKS", "")
    volumes = ["--volume", f"{wheels}:{wheels}:ro"] if wheels and Path(wheels).is_dir() else []
    buildah(
        "build",
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--layers",
        "--pull-never",
        *given,
        *volumes,
        "--tag",
        NAME,
        "--file",
        ROOT / "Dockerfile",
        ROOT,
    )
    Path(archive).unlink(missing_ok=True)
    buildah("push", "--disable-compression", NAME, f"oci-archive:{archive}:{NAME}")
    return NAME


def _base():
    """The stand-in of the Python image, with this machine's way to the package indexes."""
    spared = 'rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale'
    made = tree("python", "--variant=apt", f"--include={PACKAGES}", f"--customize-hook={spared}")
    passed = {k: v for k, v in os.environ.items() if k.startswith(PASSED)}
    mark = hashlib.sha256(repr((made.name, sorted(passed.items()))).encode()).hexdigest()[:16]
    if buildah("images", "--quiet", "--filter", f"label=mark={mark}"):
        return
    container = buildah("from", "scratch")
    try:
        buildah("add", container, made, "/")
        for file in COPIED:
            buildah("copy", container, file, file)
        env = [a for k, v in passed.items() for a in ("--env", f"{k}={v}")]
        buildah("config", "--label", f"mark={mark}", *env, container)
        buildah("commit", container, BASE)
    finally:
        buildah("rm", container)


def _kubectl(program):
    """An image that holds kubectl alone."""
    mark = hashlib.sha256(Path(program).read_bytes()).hexdigest()[:16]
    if buildah("images", "--quiet", "--filter", f"label=mark={mark}"):
        return
    container = buildah("from", "scratch")
    try:
        buildah("copy", "--chmod", "0755", container, program, "/bin/kubectl")
        buildah("config", "--label", f"mark={mark}", container)
        buildah("commit", container, KUBECTL)
    finally:
        buildah("rm", container)


def unpacked_bytes(archive):
    """How large the layers of an OCI archive are, as they are shipped."""
    with tarfile.open(archive) as found:
        return sum(member.size for member in found.getmembers())
