"""What the end-to-end tests play in: namespaces with pods, a Git repository, Prometheus, traffic."""

import contextlib
import json
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import reading
import yaml
from clearing import OWN, cleared
from patience import ENOUGH, eventually
from runtime import running as process

__all__ = [
    "OWN",
    "PROGRAM",
    "Scene",
    "cli",
    "eventually",
    "policy",
    "process",
    "prometheus",
    "source",
    "watching",
]

TRAFFIC = Path(__file__).parents[1] / "node" / "traffic.py"
PROGRAM = str(Path(sys.executable).parent / "netpol-canary")
SERVERS = ("alpha", "beta", "delta", "gamma", "omega")
DROPPED = ("resourceVersion", "uid", "generation", "managedFields", "creationTimestamp")
QUERY = 'sum by (namespace) (increase(http_{}_requests_total{{namespace=~"$namespaces"{}}}[$window]))'


@contextlib.contextmanager
def prometheus(folder, target, port):
    """Debian's Prometheus, scraping `target` twice a second; its URL."""
    program = shutil.which("prometheus")
    assert program, "the end-to-end tests need Prometheus: apt-get install prometheus"
    job = {"job_name": "traffic", "honor_labels": True, "static_configs": [{"targets": [target]}]}
    config = {"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"}, "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with process(command, folder / "prometheus.log"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def watching(plane, harness, folder, *further):
    """A traffic process, and Prometheus, which scrapes it; its URL. `further` kinds count besides NetworkPolicies."""
    port = harness.free_port()
    named = [f"{kind.api_version}/{kind.kind}" for kind in further]
    with (
        process([sys.executable, TRAFFIC, plane.kubeconfig, port, *named], folder / "traffic.log"),
        prometheus(folder, f"127.0.0.1:{port}", harness.free_port()) as url,
    ):
        yield url


def cli(plane, *args, seconds=2 * ENOUGH):
    """netpol-canary against a cluster, with the rights of its kubeconfig: the completed process."""
    command = [PROGRAM, *args, "--kubeconfig", plane.kubeconfig]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def policy(name, app="front", port=None):
    """Lets pods of namespaces labelled `app` in, on a port or on all."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"app": app}}}]}
    if port:
        rule["ports"] = [{"port": port, "protocol": "TCP"}]
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}}
    return yaml.safe_dump({**kind, "spec": spec})


def source(url, metrics, servers=SERVERS, **strategy):
    """A PolicySource over the servers, quick enough for a test."""
    analysis = {
        "intervalSeconds": 2,
        "count": 2,
        "windowSeconds": 5,
        "prometheus": {"url": metrics},
        "metrics": [
            {
                "name": "client-errors",
                "kind": "ratio",
                "errors": QUERY.format("client", ',outcome="error"'),
                "total": QUERY.format("client", ""),
                "maximum": 0.02,
                "required": False,
            },
            {"name": "requests", "kind": "volume", "query": QUERY.format("server", ""), "minRatio": 0.5},
        ],
    }
    spec = {
        "git": {"url": str(url)},
        "namespaces": {"names": list(servers)},
        "strategy": {
            "canary": ["beta"],
            "steps": [{"count": 2}],
            "settleSeconds": 1,
            "analysis": analysis,
            **strategy,
        },
    }
    meta = {"name": "shop"}
    return {
        "apiVersion": "netpol-canary.dev/v1alpha1",
        "kind": "PolicySource",
        "metadata": meta,
        "spec": spec,
    }


class Scene:
    """One shop on a real API server: `plane` is a ControlPlane, `metrics` Prometheus' URL."""

    servers, kind = SERVERS, reading.POLICY

    def __init__(self, plane, folder, metrics):
        self.plane, self.folder, self.metrics = plane, Path(folder), metrics
        self.git, self.file = self.folder / "policies", self.folder / "source.yaml"

    def furnish(self):
        """The namespaces, one pod each, an empty repository and the source's file."""
        objects = []
        for name in (OWN, "front", *self.servers):
            meta = {"name": name, "labels": {"app": name, "netpol-canary.dev/test": "true"}}
            objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        for name in ("front", *self.servers):
            container = {"name": "app", "image": "none", "ports": [{"containerPort": 8080}]}
            meta = {"name": "app", "namespace": name, "labels": {"app": name}}
            objects.append(
                {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
            )
        self.plane.run("apply", "-f", "-", stdin="\n---\n".join(json.dumps(o) for o in objects))
        self.repository()

    def repository(self):
        """An empty Git repository, and the file of the source that names it."""
        self.git.mkdir(parents=True)
        self._git("init", "-q", "-b", "main")
        self.file.write_text(yaml.safe_dump(self.declared(self.metrics)))

    def declared(self, metrics, **strategy):
        """The shop's PolicySource."""
        return source(self.git, metrics, self.servers, **strategy)

    def clear(self):
        """Take away what a test made; the namespaces go too."""
        cleared(self.plane, "front", *self.servers)

    def _git(self, *args):
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        done = subprocess.run(
            ["git", "-C", str(self.git), *identity, *args], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files):
        """Each server's policies.yaml, by namespace; the commit's id."""
        for name, text in files.items():
            (self.git / name).mkdir(exist_ok=True)
            (self.git / name / "policies.yaml").write_text(text)
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "change")
        return self._git("rev-parse", "HEAD")

    def cli(self, *args):
        """netpol-canary against this API server: the completed process."""
        return cli(self.plane, *args)

    def begin(self, *args):
        """The same, still running."""
        return subprocess.Popen(
            [PROGRAM, *args, "--kubeconfig", self.plane.kubeconfig],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, revision=""):
        return self.cli("run", "--source", str(self.file), *(["--revision", revision] if revision else []))

    def first(self):
        """The policies that every test starts from, by namespace."""
        return {n: policy("callers") for n in self.servers}

    def settled(self):
        """The first policies in force, and traffic in Prometheus since."""
        self.commit(**self.first())
        quick = self.declared("", analysis={"count": 1, "intervalSeconds": 1, "probing": {"edges": False}})
        quick["spec"]["strategy"]["settleSeconds"] = 0
        first = self.folder / "first.yaml"
        first.write_text(yaml.safe_dump(quick))
        done = self.cli("run", "--source", str(first))
        assert done.returncode == 0, done.stdout + done.stderr
        calls = f'sum(increase(http_server_requests_total{{namespace="{self.servers[-1]}"}}[6s]))'
        eventually(lambda: self.value(calls) > 20)

    def value(self, query):
        """A number from Prometheus, 0 where there is none."""
        url = f"{self.metrics}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            with urllib.request.urlopen(url, timeout=ENOUGH) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            return 0.0
        return float(found[0]["value"][1]) if found else 0.0

    def policies(self, kind=None):
        """Every policy of the scene's kind, or another, but for what the server keeps for itself."""
        found = reading.listed(self.plane, kind or self.kind)
        for item in found:
            for field in DROPPED:
                item["metadata"].pop(field, None)
        return found

    def rules(self):
        """The first ingress rule of each server's policies."""
        mine = [p for p in self.policies() if p["metadata"]["namespace"] in self.servers]
        return [p["spec"]["ingress"][0] for p in mine]

    def rollout(self):
        """The newest PolicyRollout."""
        items = reading.listed(self.plane, reading.ROLLOUT, OWN)
        return max(items, key=lambda o: (o["metadata"]["creationTimestamp"], o["metadata"]["name"]))

    def why(self):
        """All that the rollout says of how it stands: its details, or the one line that is all of it."""
        status = self.rollout()["status"]
        return status.get("details") or status["reason"]

    def phases(self, rollout):
        """The NamespaceRollouts' phases of a rollout, by namespace."""
        return reading.phases(self.plane, rollout, OWN)
