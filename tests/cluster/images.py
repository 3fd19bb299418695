"""Container images for the test node, made here without a registry: a Debian tree and a layer on top of it.

One OCI archive holds them all: `pause` (the sandbox), `app` (the workload, app.py) and `probe` (the project's
probe agent). It is kept in the tests' cache, under a name that changes with what went into it.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REGISTRY = "netpol-canary.test"  # a name only: nothing is ever pulled
PAUSE, APP, PROBE = (f"{REGISTRY}/{name}:test" for name in ("pause", "app", "probe"))
PACKAGES = "python3-minimal,libpython3-stdlib,busybox-static"
LINKS = ("sh", "sleep", "cat", "ls", "wget", "nc", "ip", "kill")
AGENT = ROOT / "orchestrator" / "probe" / "agent.py"
BUILD_SECONDS = 300


def cache():
    """Where this machine keeps what the cluster tests build."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return home / "netpol-canary-tests"


def archive():
    """The OCI archive's path; some 15 seconds the first time."""
    base = _base()
    layers = {PAUSE: {}, APP: _files_of_app(), PROBE: _files_of_probe()}
    commands = {PAUSE: ["/bin/sleep", "infinity"], APP: ["python3", "-I", "/app.py"]}
    commands[PROBE] = ["netpol-canary-probe"]
    mark = hashlib.sha256(base.name.encode() + Path(__file__).read_bytes())
    mark.update(repr(sorted(layers.items())).encode())
    target = cache() / f"images-{mark.hexdigest()[:16]}.tar"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            half = Path(folder) / "images.tar"
            _write(half, base, layers, commands)
            half.rename(target)
    return target


def _base():
    """A tar of the smallest Debian tree with Python's standard library and a few shell commands."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )["VERSION_CODENAME"].strip('"')
    links = "; ".join(f'ln -sf busybox "$1/bin/{name}"' for name in LINKS)
    spared = (
        'rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale "$1"/var/lib/dpkg "$1"/var/cache'
    )
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={PACKAGES}"]
    command += [f"--extract-hook={hook}" for hook in (links, spared)]
    mark = hashlib.sha256(repr((release, command)).encode()).hexdigest()[:16]
    target = cache() / f"base-{mark}.tar"
    if target.exists():
        return target
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        half = Path(folder) / "base.tar"
        done = subprocess.run(
            [*command, release, str(half)],
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
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


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(target, base, layers, commands):
    """An OCI image layout as one tar; see image-layout, manifest and config in the OCI image specification."""
    bottom = (_digest(base), base.stat().st_size)
    with tarfile.open(target, "w") as tar:

        def add(name, body):
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))

        def blob(body, kind):
            if isinstance(body, dict):
                body = json.dumps(body, sort_keys=True).encode()
            digest = hashlib.sha256(body).hexdigest()
            if digest not in seen:
                seen.add(digest)
                add(f"blobs/sha256/{digest}", body)
            media = f"application/vnd.oci.image.{kind}"
            return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(body)}

        seen, manifests = {bottom[0]}, []
        add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        tar.add(base, f"blobs/sha256/{bottom[0]}")
        under = {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": f"sha256:{bottom[0]}",
            "size": bottom[1],
        }
        for name, files in layers.items():
            stack = [under] + ([blob(_layer(files), "layer.v1.tar")] if files else [])
            path = "PATH=/usr/local/bin:/usr/bin:/bin"
            config = {
                "architecture": _architecture(),
                "os": "linux",
                "config": {"Entrypoint": commands[name], "Env": [path, "PYTHONDONTWRITEBYTECODE=1"]},
                "rootfs": {"type": "layers", "diff_ids": [each["digest"] for each in stack]},
            }
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob(config, "config.v1+json"),
                "layers": stack,
            }
            named = {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}
            manifests.append({**blob(manifest, "manifest.v1+json"), "annotations": named})
        add("index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())


def _architecture():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


if __name__ == "__main__":
    sys.stdout.write(f"{archive()}\n")
