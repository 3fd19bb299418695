"""What stands in an API server, kept up to date by watches, for the small processes of the node tests."""

import json
import os
import sys
import threading
import time
from functools import partial

from kubernetes import client, config, watch

WATCH_SECONDS, AGAIN_SECONDS = 240, 0.5


class Objects:
    """Manifests of some kinds; `changed` is set whenever one of them changes."""

    def __init__(self, kubeconfig, *kinds):
        api = config.new_client_from_config(kubeconfig)
        core, networking = client.CoreV1Api(api), client.NetworkingV1Api(api)
        further = client.CustomObjectsApi(api).list_cluster_custom_object
        listings = {
            "Namespace": core.list_namespace,
            "Pod": core.list_pod_for_all_namespaces,
            "NetworkPolicy": networking.list_network_policy_for_all_namespaces,
            "AdminNetworkPolicy": partial(
                further, "policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies"
            ),
        }
        self.changed, self._found = threading.Event(), dict.fromkeys(kinds)
        self._lock = threading.Lock()
        for kind in kinds:
            threading.Thread(target=self._follow, args=(kind, listings[kind]), daemon=True).start()

    def all(self):
        """Every object by kind; None until each kind has been listed once."""
        with self._lock:
            if None in self._found.values():
                return None
            return {kind: list(items.values()) for kind, items in self._found.items()}

    def _follow(self, kind, listing):
        while True:
            try:
                answer = listing(_preload_content=False, _request_timeout=30)
                body = json.loads(answer.data)
                self._set(kind, {item["metadata"]["uid"]: item for item in body["items"]})
                version = body["metadata"]["resourceVersion"]
                self._watch(kind, listing, version)
            except Exception as error:  # whatever it is: it goes into the log, and all is listed anew
                if getattr(error, "status", None) == 404:  # its CRD is not installed, or not any more
                    self._set(kind, {})
                else:
                    print(f"{kind}: {error}", file=sys.stderr, flush=True)
                time.sleep(AGAIN_SECONDS)

    def _watch(self, kind, listing, version):
        stream = watch.Watch().stream(listing, resource_version=version, timeout_seconds=WATCH_SECONDS)
        for event in stream:
            item = event["raw_object"]
            with self._lock:
                if event["type"] == "DELETED":
                    self._found[kind].pop(item["metadata"]["uid"], None)
                else:
                    self._found[kind][item["metadata"]["uid"]] = item
            self.changed.set()

    def _set(self, kind, items):
        with self._lock:
            known, self._found[kind] = self._found[kind], items
        if items != known:
            self.changed.set()


def tell(path, text):
    """Write a file that others read, in one step."""
    half = path.with_name(f".{path.name}")
    half.write_text(text)
    half.replace(path)


def end_with_parent():
    """End this process when its standard input does: a pipe from whoever started it."""

    def wait():
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
