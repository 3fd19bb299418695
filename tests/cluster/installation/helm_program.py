"""Helm's own program, built from the Go module of tests/cluster/helm into the tests' cache; how tests call it."""

import fcntl
import functools
import hashlib
import os
import subprocess
from pathlib import Path

import yaml
from images import ROOT, cache
from patience import ENOUGH

MODULE = Path(__file__).parents[1] / "helm"
TOOL = "helm.sh/helm/v4/cmd/helm"
CHART = ROOT / "charts/netpol-canary"
RELEASE = SPACE = "netpol-canary"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a rendered chart is long


@functools.cache
def program():
    """Built once for each go.mod; seconds where it is there already."""
    mark = hashlib.sha256((MODULE / "go.sum").read_bytes() + (MODULE / "go.mod").read_bytes()).hexdigest()[
        :16
    ]
    folder = cache() / f"helm-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "helm").exists():
            command = ["go", "build", "-trimpath", "-o", str(folder / "helm"), TOOL]
            environment = {**os.environ, "CGO_ENABLED": "0"}
            subprocess.run(command, cwd=MODULE, check=True, timeout=7200, env=environment)
    return str(folder / "helm")


def helm(*args, kubeconfig=os.devnull, seconds=2 * ENOUGH):
    """The completed process; it keeps nothing in the user's home."""
    home = {f"HELM_{kind}_HOME": str(cache() / "helm-home") for kind in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run(
        [program(), *(str(a) for a in args)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, **home, "KUBECONFIG": str(kubeconfig)},
    )


def rendered(*args, chart=CHART):
    """What `helm template` gives, without its hooks."""
    return [d for d in _documents(*args, chart=chart) if "helm.sh/hook" not in _annotations(d)]


def hooks(*args):
    """The hooks alone, by kind."""
    return {d["kind"]: d for d in _documents(*args) if "helm.sh/hook" in _annotations(d)}


def _documents(*args, chart=CHART):
    done = helm("template", RELEASE, chart, "-n", SPACE, *args)
    assert done.returncode == 0, done.stderr
    return [d for d in yaml.load_all(done.stdout, LOADER) if d]


def _annotations(document):
    return document["metadata"].get("annotations") or {}


def valued(folder, values):
    """Flags that give these values, as a file."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return "-f", path
