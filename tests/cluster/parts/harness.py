"""A control plane for tests: etcd, kube-apiserver, kube-controller-manager and kubectl, on loopback.

Built from the Go modules pinned in go.mod beside this file. See README.md.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from patience import ENOUGH, KUBECTL, eventually

MODULES = Path(__file__).parents[1]  # where go.mod stands
ROOT = MODULES.parents[1]
VERSION = "v1.34.4"
TOKENS = {
    "admin": ("admin-token", "system:masters"),
    "engineer": ("engineer-token", "release-engineers"),
    "controller": ("controller-token", "netpol-canary"),
    "system:kube-controller-manager": (
        "manager-token",
        "system:masters",
    ),  # config/admission knows it by name
}
# Who did what of our own accounts, for test_permissions.py; of everybody else nothing is written down.
AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts:netpol-canary"]},
        {"level": "None"},
    ],
}
VOUCHING = ("approvals", "freezes", "rollouts")  # in config/admission
CONTROLLERS = ("namespace-controller", "garbage-collector-controller")


@dataclass(frozen=True)
class Place:
    """Where a control plane stands and what it does there.

    `address` is where it is reached; `inside` goes before its commands; with `tokens` pods get the tokens of
    their service accounts, as in a cluster with nodes; `flags` go to the API server.
    """

    address: str = "127.0.0.1"
    inside: tuple[str, ...] = ()
    controllers: tuple[str, ...] = CONTROLLERS
    tokens: bool = False
    flags: tuple[str, ...] = ()


# Go's collector runs half as often: here memory is cheaper than cores.
SPARING = {"GOGC": "200", **os.environ}
NAMES = "jsonpath={.items[*].metadata.name}"
LOOPBACK = Place()


@dataclass(frozen=True)
class ControlPlane:
    """What a test needs: paths of a kubeconfig and of kubectl, and the server's URL and tokens."""

    kubeconfig: str
    kubectl: str
    server: str

    def run(self, *args, stdin="", check=True, seconds=ENOUGH + 60):
        """kubectl against this control plane, for so many seconds at most; returns what it prints."""
        done = subprocess.run(
            [self.kubectl, "--kubeconfig", self.kubeconfig, *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def apply_crds(self):
        """Install config/crd and config/admission, and wait until both are in force."""
        self.run("apply", "-k", str(ROOT / "config" / "crd"))
        self.run("wait", "--for=condition=Established", "crd", "--all", KUBECTL)
        # Established is not served: for a moment the storage of a new kind is being made.
        kinds = ",".join(self.run("get", "-k", str(ROOT / "config" / "crd"), "-o", NAMES).split())
        eventually(lambda: self.run("get", kinds, "-A", "-o", "json", check=False))
        self.vouch()

    def vouch(self, there=True):
        """Install config/admission, or take away what vouches for people, and wait until that is in force."""
        admission = ROOT / "config" / "admission"
        if there:
            self.run("apply", "-k", str(admission))
        else:
            files = [part for name in VOUCHING for part in ("-f", str(admission / f"{name}.yaml"))]
            self.run("delete", *files)
        spec = {"rollout": "r", "wave": 0, "planDigest": "d", "user": "somebody else"}
        kind = {"apiVersion": "netpol-canary.dev/v1alpha1", "kind": "RolloutApproval"}
        trial = json.dumps({**kind, "metadata": {"name": "trial"}, "spec": spec})
        tried = ("create", "--dry-run=server", "-f", "-")
        eventually(lambda: bool(self.run(*tried, stdin=trial, check=False)) != there)


def binaries():
    """Build what go.mod names into a cache outside the clone; seconds where it is there already."""
    mark = hashlib.sha256((MODULES / "go.sum").read_bytes() + (MODULES / "go.mod").read_bytes()).hexdigest()[
        :16
    ]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "netpol-canary-tests" / mark
    wanted = ["server", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the node's tests and the others run beside each other
        if not all((cache / name).exists() for name in wanted):
            _build(cache)
    return cache


def _build(cache):
    tools = subprocess.run(
        ["go", "list", "tool"], cwd=MODULES, capture_output=True, text=True, check=True, timeout=3600
    ).stdout.split()
    flags = f"-X k8s.io/component-base/version.gitVersion={VERSION}"
    command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", str(cache), *tools]
    subprocess.run(command, cwd=MODULES, check=True, timeout=7200, env={**os.environ, "CGO_ENABLED": "0"})


def free_port():
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def control_plane(folder, place=LOOPBACK, ours=True):
    """Start it with its data in `folder`, with our CRDs in it; ends its own processes at the end."""
    folder, found = Path(folder), binaries()
    folder.mkdir(parents=True, exist_ok=True)
    secure = free_port()
    server = f"https://{place.address}:{secure}"
    trust = folder / "certs" / "apiserver.crt"
    config = write_kubeconfig(folder / "kubeconfig", server, "admin", trust)
    write_kubeconfig(folder / "manager.kubeconfig", server, "system:kube-controller-manager", trust)
    plane = ControlPlane(str(config), str(found / "kubectl"), server)
    processes = []
    try:
        for command in _commands(folder, found, place, secure):
            name = Path(command[0]).name
            log = (folder / f"{name}.log").open("w")
            whole = [*place.inside, *(str(c) for c in command)]
            processes.append(subprocess.Popen(whole, stdout=log, stderr=log, env=SPARING))
            if name == "kube-apiserver":
                _ready(found / "kubectl", config, folder)
                if ours:
                    plane.apply_crds()  # before the garbage collector looks which kinds there are
        yield plane
    finally:
        for process in reversed(processes):  # nothing of it is kept, and an API server takes its time to end
            process.kill()
        for process in reversed(processes):
            process.wait(ENOUGH)


def _commands(folder, found, place, secure):
    """What is run, in order: the store, the API server, the controllers."""
    client, peer = free_port(), free_port()
    etcd, store = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    authority(folder)
    (folder / "tokens.csv").write_text(
        "".join(f'{token},{user},{user},"{group}"\n' for user, (token, group) in TOKENS.items())
    )
    (folder / "audit.yaml").write_text(json.dumps(AUDIT))
    key = folder / "sa.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    return [
        [
            found / "server",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={store}",
            f"--initial-advertise-peer-urls={store}",
            f"--initial-cluster=default={store}",
            "--unsafe-no-fsync",
        ],
        [
            found / "kube-apiserver",
            f"--etcd-servers={etcd}",
            f"--secure-port={secure}",
            f"--bind-address={place.address}",
            f"--advertise-address={place.address}",
            f"--cert-dir={folder / 'certs'}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            f"--client-ca-file={folder / 'clients.crt'}",
            f"--audit-policy-file={folder / 'audit.yaml'}",
            f"--audit-log-path={folder / 'audit.log'}",
            "--audit-log-maxsize=200",
            "--audit-log-maxbackup=1",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--kubelet-preferred-address-types=InternalIP",
            *([] if place.tokens else ["--disable-admission-plugins=ServiceAccount"]),
            *place.flags,
        ],
        [
            found / "kube-controller-manager",
            f"--kubeconfig={folder / 'manager.kubeconfig'}",
            f"--controllers={','.join(place.controllers)}",
            f"--root-ca-file={folder / 'certs' / 'apiserver.crt'}",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ],
    ]


def authority(folder):
    """Who signs client certificates, as clients.key and clients.crt; people.py issues them."""
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        folder / "clients.key",
    ]
    command = [
        "openssl",
        "req",
        "-x509",
        *key,
        "-out",
        folder / "clients.crt",
        "-days",
        "2",
        "-subj",
        "/CN=clients",
    ]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def _ready(kubectl, config, folder):
    command = [str(kubectl), "--kubeconfig", str(config), "get", "--raw", "/readyz"]

    def answers():
        return subprocess.run(command, capture_output=True, check=False, timeout=ENOUGH).returncode == 0

    try:
        eventually(answers)
    except AssertionError:
        said = (folder / "kube-apiserver.log").read_text()[-2000:]
        raise AssertionError(f"the API server did not get ready:\n{said}") from None


def write_kubeconfig(path, server, user, ca=None):
    """A kubeconfig for one of the users of TOKENS."""
    trust = {"certificate-authority": str(ca)} if ca else {}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, **trust}}],
        "users": [{"name": user, "user": {"token": TOKENS[user][0]}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        "current-context": "test",
    }
    path = Path(path)
    path.write_text(json.dumps(body))
    return path


@contextlib.contextmanager
def given(kubeconfig):
    """The cluster that KUBECONFIG names; namespaces labelled as the tests' are removed at the end."""
    import shutil

    kubectl = shutil.which("kubectl") or str(binaries() / "kubectl")
    plane = ControlPlane(kubeconfig, kubectl, "")
    try:
        yield plane
    finally:
        plane.run("delete", "namespace", "-l", "netpol-canary.dev/test=true", "--wait=false", check=False)
