"""Two replicas on a real API server: a webhook to the one that does not lead wakes the one that does."""

import json
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
import reading
import yaml
from clearing import cleared
from patience import ENOUGH
from scene import OWN, PROGRAM, eventually

pytestmark = pytest.mark.cluster

SPACES, SECRET = ("north", "south"), "what only the host knows"


def bindings():
    """The rights of config/rbac for the user who comes by the controller's token."""
    api, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    subjects = [{"apiGroup": group, "kind": "User", "name": "controller"}]
    for kind, scope in (("Role", {"namespace": OWN}), ("ClusterRole", {})):
        ref = {"apiGroup": group, "kind": kind, "name": "netpol-canary-controller"}
        meta = {"name": "test-serve", **scope}
        yield {
            "apiVersion": api,
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": ref,
            "subjects": subjects,
        }


def furniture(url):
    for name in (OWN, *SPACES):
        meta = {"name": name, "labels": {"netpol-canary.dev/test": "true"}}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    secret = {"metadata": {"name": "webhooks", "namespace": OWN}, "stringData": {"webhookSecret": SECRET}}
    yield {"apiVersion": "v1", "kind": "Secret", **secret}
    strategy = {
        "canary": ["north"],
        "settleSeconds": 2,
        "analysis": {"count": 1, "intervalSeconds": 1, "probing": {"edges": False}},
    }
    spec = {"git": {"url": url}, "namespaces": {"names": list(SPACES)}, "strategy": strategy}
    meta = {"name": "serve", "namespace": OWN}
    yield {"apiVersion": "netpol-canary.dev/v1alpha1", "kind": "PolicySource", "metadata": meta, "spec": spec}


class Replica:
    """One `serve` with the rights of config/rbac; it would look at Git once an hour by itself."""

    def __init__(self, harness, folder, kubeconfig, stack, number):
        self.port, self.log = harness.free_port(), folder / f"replica-{number}.log"
        settings = folder / "settings.yaml"
        settings.write_text(yaml.safe_dump({"webhooks": {"secret_ref": "webhooks", "coalesce_seconds": 1}}))
        command = [PROGRAM, "serve", "--config", str(settings), "--poll", "3600", "--log", "json"]
        command += ["--listen", f"127.0.0.1:{self.port}", "--kubeconfig", kubeconfig]
        out = stack.enter_context(self.log.open("w"))
        self.process = subprocess.Popen(command, stdout=out, stderr=out)
        stack.callback(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=ENOUGH) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def push(self, url, secret=SECRET):
        body = json.dumps({"url": url, "branch": "main"}).encode()
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/webhooks/generic", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=ENOUGH) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self):
        """Ask it to end, which it does well; whether it waited for the calls that it had begun."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(ENOUGH) == 0, self.log.read_text()[-3000:]
        return "stopped in the middle of a call" not in self.log.read_text()


class Ground:
    """A repository, and what stands in the cluster for it."""

    def __init__(self, plane, root):
        self.plane, self.root = plane, root
        (root / "_shared").mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *args):
        command = [
            "git",
            "-C",
            str(self.root),
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.com",
            *args,
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, port):
        rule = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port}]}]}
        body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "in"}}
        (self.root / "_shared/all.yaml").write_text(yaml.safe_dump({**body, "spec": rule}))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"port {port}")
        return self.git("rev-parse", "HEAD")

    def read(self, kind, name):
        return reading.found(self.plane, kind, name, OWN)

    def verified(self, revision):
        return self.read(reading.SOURCE, "serve").get("status", {}).get("currentRevision") == revision

    def leader(self, replicas):
        holder = reading.holder(self.plane, "controller", OWN)
        return next((r for r in replicas if f"-{r.process.pid}-" in holder), None)

    def phases(self):
        items = reading.listed(self.plane, reading.NAMESPACE_ROLLOUT, OWN)
        return {(i["spec"]["rollout"], i.get("status", {}).get("phase")) for i in items}


@pytest.fixture
def ground(plane, harness, tmp_path):
    if not plane.server:
        pytest.skip("the user of this test comes by token, which only our own control plane knows")
    found = Ground(plane, tmp_path / "policies")
    found.first = found.commit(8080)
    plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
    objects = [*bindings(), *furniture(str(found.root))]
    plane.run("apply", "-f", "-", stdin="\n---\n".join(json.dumps(o) for o in objects))
    yield found
    cleared(plane, *SPACES)


@pytest.fixture
def config(plane, harness, tmp_path):
    """The kubeconfig of the user who has the rights of config/rbac."""
    ca = json.loads(Path(plane.kubeconfig).read_text())["clusters"][0]["cluster"]["certificate-authority"]
    return str(harness.write_kubeconfig(tmp_path / "controller.kubeconfig", plane.server, "controller", ca))


def test_a_git_host_that_never_answers_does_not_hold_up_stopping(ground, config, harness, tmp_path):
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        silent.settimeout(ENOUGH)
        patch = {"spec": {"git": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/policies.git"}}}
        ground.plane.run("patch", "psrc", "serve", "-n", OWN, "--type=merge", "-p", json.dumps(patch))
        replica = Replica(harness, tmp_path, config, stack, 0)
        stack.enter_context(silent.accept()[0])
        assert not replica.stop()


def test_any_replica_takes_a_push_and_stopping_loses_nothing(ground, config, harness, tmp_path):
    with ExitStack() as stack:
        replicas = [Replica(harness, tmp_path, config, stack, number) for number in (1, 2)]
        eventually(lambda: all(r.get("/readyz") == 200 for r in replicas))
        eventually(lambda: ground.verified(ground.first))
        first = eventually(lambda: ground.leader(replicas))
        other = next(r for r in replicas if r is not first)

        second = ground.commit(8081)
        assert other.push(str(ground.root), "wrong") == 401
        assert other.push(str(ground.root)) == 202
        eventually(lambda: ground.verified(second))

        third = ground.commit(8082)
        assert [other.push(str(ground.root)) for _ in range(50)] == [202] * 50
        name = f"serve-{third[:10]}"
        eventually(lambda: (name, "Applied") in ground.phases())
        first.stop()
        lease = ground.read(reading.LEASE, f"rollout-{name}")
        assert lease["spec"].get("holderIdentity", "") in ("", *_holders(lease, other))
        eventually(lambda: ground.verified(third))
        assert ground.leader(replicas) is other
        other.stop()
    assert reading.holder(ground.plane, "controller", OWN) == ""
    said = [json.loads(line) for r in replicas for line in r.log.read_text().splitlines()]
    assert not [line for line in said if line["level"] in ("error", "critical")]


def _holders(lease, replica):
    """The lease's holder where that is the other replica, which may have gone on already."""
    holder = lease["spec"].get("holderIdentity", "")
    return [holder] if f"-{replica.process.pid}-" in holder else []
