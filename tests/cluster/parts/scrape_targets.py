"""Tells Prometheus which pods to scrape: those annotated `prometheus.io/scrape: "true"`.

`python scrape_targets.py KUBECONFIG FILE` keeps FILE in the format of Prometheus' file_sd_configs (Debian's build
has no discovery of its own for Kubernetes), with the labels `namespace` and `pod`.
"""

import json
import sys
from pathlib import Path

from watching import Objects, end_with_parent, tell


def targets(pods):
    """One entry a running pod."""
    found = []
    for pod in pods:
        meta, status = pod["metadata"], pod.get("status", {})
        notes = meta.get("annotations") or {}
        if notes.get("prometheus.io/scrape") != "true" or status.get("phase") != "Running":
            continue
        address = f"{status['podIP']}:{notes.get('prometheus.io/port', '8080')}"
        found.append({"targets": [address], "labels": {"namespace": meta["namespace"], "pod": meta["name"]}})
    return sorted(found, key=lambda entry: entry["targets"])


def main(kubeconfig, file):
    end_with_parent()
    objects, last = Objects(kubeconfig, "Pod"), None
    while True:
        objects.changed.wait()
        objects.changed.clear()
        found = targets(objects.all()["Pod"])
        if found != last:
            tell(Path(file), json.dumps(found))
            last = found


if __name__ == "__main__":
    main(*sys.argv[1:])
