"""Container images for the test node, made here without a registry: a Debian tree and a layer on top of it.

One OCI archive holds them all: `pause` (the sandbox), `app` (the workload, app.py) and `probe` (the project's
probe agent). The tree alone is kept, in the tests' cache, under a name that changes with what makes it.
"""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
REGISTRY = "netpol-canary.test"  # a name only: nothing is ever pulled
PAUSE, APP, PROBE = (f"{REGISTRY}/{name}:test" for name in ("pause", "app", "probe"))
PACKAGES = "python3-minimal,libpython3-stdlib,busybox-static"
LINKS = ("sh", "sleep", "cat", "ls", "wget", "nc", "ip", "kill")
AGENT = ROOT / "orchestrator" / "probe" / "agent.py"
MEDIA, PATH = "application/vnd.oci.image", "PATH=/usr/local/bin:/usr/bin:/bin"
BUILD_SECONDS = 1800


def cache():
    """Where this machine keeps what the cluster tests build."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return home / "netpol-canary-tests"


def write(target):
    """Write the OCI archive: a second, and some ten more where this machine has no tree yet."""
    contents = {
        PAUSE: (["/bin/sleep", "infinity"], {}),
        APP: (["python3", "-I", "/app.py"], _files_of_app()),
        PROBE: (["netpol-canary-probe"], _files_of_probe()),
    }
    with tarfile.open(target, "w") as tar:
        archive = Archive(tar, _base())
        for name, (command, files) in contents.items():
            archive.image(name, command, files)
        archive.finish()


def _base():
    """A tar of the smallest Debian tree with Python's standard library and a few shell commands."""
    links = "; ".join(f'ln -sf busybox "$1/bin/{name}"' for name in LINKS)
    spared = (
        'rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale "$1"/var/lib/dpkg "$1"/var/cache'
    )
    # Some hundred pods start Python, each of which would compile what it imports.
    compiled = (
        'for lib in "$1"/usr/lib/python3.*; do '
        'chroot "$1" python3 -m compileall -q --invalidation-mode unchecked-hash "${lib#"$1"}"; done'
    )
    hooks = [f"--extract-hook={hook}" for hook in (links, spared, compiled)]
    return tree("base", "--variant=extract", f"--include={PACKAGES}", *hooks)


def tree(name, *options):
    """A tar of a tree of this machine's Debian, which mmdebstrap makes with these options and the cache keeps."""
    system = Path("/etc/os-release").read_text().splitlines()
    release = (
        next(line for line in system if line.startswith("VERSION_CODENAME=")).partition("=")[2].strip('"')
    )
    mark = hashlib.sha256(repr((release, options)).encode()).hexdigest()[:16]
    target = cache() / f"{name}-{mark}.tar"
    if target.exists():
        return target
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        half = Path(folder) / "tree.tar"
        command = ["mmdebstrap", "--quiet", *options, release, str(half)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        assert done.returncode == 0, f"mmdebstrap: {done.stderr[-2000:]}"
        half.rename(target)
    return target


def _files_of_app():
    return {"app.py": ((HERE / "app.py").read_bytes(), 0o644)}


def _files_of_probe():
    """The agent as the project ships it; a stand-in that fails where this tree has none."""
    code = AGENT if AGENT.exists() else HERE / "probe_missing.py"
    start = b'#!/bin/sh\nexec python3 -I /usr/local/lib/netpol_canary/agent.py "$@"\n'
    return {
        "usr/local/lib/netpol_canary/agent.py": (code.read_bytes(), 0o644),
        "usr/local/bin/netpol-canary-probe": (start, 0o755),
    }


def _layer(files):
    """A tar of files: path to (bytes, mode)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, (body, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(body), mode
            tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


class Archive:
    """An OCI image layout in a tar that is open for writing.

    Its form is that of image-layout, manifest and config in the OCI image specification.
    """

    def __init__(self, tar, base):
        self.tar, self.seen, self.manifests = tar, set(), []
        self._file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        with base.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        tar.add(base, f"blobs/sha256/{digest}")
        self.bottom = self._described("layer.v1.tar", digest, base.stat().st_size)

    def image(self, name, command, files):
        """The tree with some files on top, and the command that it starts."""
        layers = [self.bottom, *([self._blob("layer.v1.tar", _layer(files))] if files else [])]
        config = {
            "architecture": _architecture(),
            "os": "linux",
            "config": {"Entrypoint": command, "Env": [PATH, "PYTHONDONTWRITEBYTECODE=1"]},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": self._blob("config.v1+json", _json(config)),
            "layers": layers,
        }
        named = {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}
        self.manifests.append({**self._blob("manifest.v1+json", _json(manifest)), "annotations": named})

    def finish(self):
        """Write the index of what was put in."""
        self._file("index.json", _json({"schemaVersion": 2, "manifests": self.manifests}))

    def _blob(self, kind, body):
        digest = hashlib.sha256(body).hexdigest()
        if digest not in self.seen:
            self.seen.add(digest)
            self._file(f"blobs/sha256/{digest}", body)
        return self._described(kind, digest, len(body))

    def _described(self, kind, digest, size):
        return {"mediaType": f"{MEDIA}.{kind}", "digest": f"sha256:{digest}", "size": size}

    def _file(self, name, body):
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        self.tar.addfile(entry, io.BytesIO(body))


def _json(body):
    return json.dumps(body, sort_keys=True).encode()


def _architecture():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
