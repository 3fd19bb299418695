"""Prometheus in a pod of the test node, so that policies can cut it off from what it scrapes.

Questions to it come from the machine that tests run on, which policies never stop (see policy_rules.py).
"""

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import images
import runtime
import yaml
from patience import KUBECTL

HERE = Path(__file__).parent
NAMESPACE, LABEL, PORT = "monitoring", "prometheus", 9090
SCRAPE = "500ms"


@contextlib.contextmanager
def prometheus(folder, plane):
    """Start it; the URL where it answers."""
    folder = Path(folder) / "prometheus"
    folder.mkdir()
    (folder / "targets.json").write_text("[]")
    pods = {"job_name": "pods", "file_sd_configs": [{"files": ["/config/targets.json"]}]}
    config = {"global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE}, "scrape_configs": [pods]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [sys.executable, HERE / "scrape_targets.py", plane.kubeconfig, folder / "targets.json"]
    with runtime.running(command, folder / "targets.log", stdin=subprocess.PIPE):
        plane.run(
            "apply",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects(folder)}),
        )
        plane.run("wait", "-n", NAMESPACE, "--for=condition=Ready", "pod/prometheus", KUBECTL)
        address = plane.run("get", "pod", "-n", NAMESPACE, "prometheus", "-o=jsonpath={.status.podIP}")
        yield f"http://{address}:{PORT}"


def _objects(folder):
    labels = {"app": LABEL}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    program = shutil.which("prometheus")
    assert program, "the node tests need Prometheus: apt-get install prometheus"
    container = {
        "name": "prometheus",
        "image": images.PAUSE,
        "command": [
            "/prometheus",
            "--config.file=/config/prometheus.yml",
            "--storage.tsdb.path=/data",
            f"--web.listen-address=:{PORT}",
        ],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {
            "httpGet": {"path": "/-/ready", "port": PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
        },
        "volumeMounts": [
            {"name": "program", "mountPath": "/prometheus", "readOnly": True},
            {"name": "config", "mountPath": "/config", "readOnly": True},
            {"name": "data", "mountPath": "/data"},
        ],
    }
    volumes = [
        {"name": "program", "hostPath": {"path": str(Path(program).resolve()), "type": "File"}},
        {"name": "config", "hostPath": {"path": str(folder), "type": "Directory"}},
        {"name": "data", "emptyDir": {}},
    ]
    spec = {
        "containers": [container],
        "volumes": volumes,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
    }
    meta = {"name": "prometheus", "namespace": NAMESPACE, "labels": labels}
    return [space, {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}]
