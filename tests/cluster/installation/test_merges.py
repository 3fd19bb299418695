"""The controller in a cluster, with the rights of config/rbac and no more; an engineer approves."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import reading
import yaml
from patience import ENOUGH

pytestmark = pytest.mark.cluster

ROLES = {"controller": ["netpol-canary-controller"], "engineer": ["netpol-canary-release-engineer"]}


def bindings():
    """What binds config/rbac's roles to the test's users, who come by token."""
    group = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    found = []
    for user, roles in ROLES.items():
        subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
        for role in roles:
            ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}
            meta = {"name": f"test-{user}", "namespace": "netpol-canary"}
            found.append(
                {**group, "kind": "RoleBinding", "metadata": meta, "roleRef": ref, "subjects": subjects}
            )
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "netpol-canary-controller"}
    meta = {"name": "test-controller"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "controller"}]
    found.append(
        {**group, "kind": "ClusterRoleBinding", "metadata": meta, "roleRef": ref, "subjects": subjects}
    )
    return "\n---\n".join(json.dumps(o) for o in found)


def answer(url):
    try:
        with urllib.request.urlopen(url, timeout=ENOUGH) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def test_merges_are_rolled_out_and_taken_back_by_the_controller(shop, watched, plane, harness, tmp_path):
    module, url = watched
    if not plane.server:
        pytest.skip("the users of this test come by token, which only our own control plane knows")
    plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
    plane.run("apply", "-f", "-", stdin=bindings())
    ca = json.loads(Path(plane.kubeconfig).read_text())["clusters"][0]["cluster"]["certificate-authority"]
    configs = {
        user: str(harness.write_kubeconfig(tmp_path / f"{user}.kubeconfig", plane.server, user, ca))
        for user in ROLES
    }
    body = module.source(shop.git, url, gates=[{"wave": 1, "groups": ["release-engineers"]}])
    body["spec"]["identities"] = [{"email": "ann@example.com", "user": "ann"}]
    body["metadata"]["namespace"] = module.OWN
    plane.run("apply", "-f", "-", stdin=yaml.safe_dump(body))
    port, log = harness.free_port(), tmp_path / "controller.log"
    command = [module.PROGRAM, "controller", "--poll", "1", "--listen", f"127.0.0.1:{port}", "--log", "json"]
    command += ["--kubeconfig", configs["controller"]]

    def phase(revision):
        found = shop.rollout()
        return found.get("status", {}).get("phase") if found["spec"]["revision"] == revision else None

    with module.process(command, log) as child:
        module.eventually(lambda: answer(f"http://127.0.0.1:{port}/readyz")[0] == 200)
        good = shop.commit(**{n: module.policy("callers", port=8080) for n in module.SERVERS})
        module.eventually(lambda: phase(good) == "Paused")
        promote = [module.PROGRAM, "promote", "shop", "-m", "looked at", "--kubeconfig", configs["engineer"]]
        done = subprocess.run(promote, capture_output=True, text=True, timeout=ENOUGH, check=False)
        assert done.returncode == 0 and "approved by engineer" in done.stdout, done.stderr
        assert "nobody works on it" not in done.stdout
        module.eventually(lambda: phase(good) == "Succeeded")
        before = shop.policies()
        bad = shop.commit(**{n: module.policy("callers", app="frnt") for n in module.SERVERS})
        module.eventually(lambda: phase(bad) == "RolledBack")
        assert shop.policies() == before
        restored = "netpol_canary_restore_seconds_count 1.0"  # counted just after the phase is written
        module.eventually(lambda: restored in answer(f"http://127.0.0.1:{port}/metrics")[1])
        text = answer(f"http://127.0.0.1:{port}/metrics")[1]
        assert 'netpol_canary_api_calls_total{kind="NetworkPolicy",outcome="ok",verb="replace"}' in text
        module.eventually(
            lambda: "is blocked" in json.dumps(reading.found(plane, reading.SOURCE, "shop", module.OWN))
        )
        child.send_signal(signal.SIGTERM)
        assert child.wait(ENOUGH) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    applied = [line for line in lines if line["event"] == "Applied"]
    assert {"source", "rollout", "revision", "wave", "namespace", "timestamp", "level"} <= set(applied[0])
