"""A real node for tests: control plane, kubelet, containerd, pods, packets, a policy agent.

By hand: `python tests/cluster/node.py FILE` keeps it running until FILE is removed, and writes into FILE, as
`name=value` lines, where it is reached. See README.md.
"""

import contextlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import harness
import netns
import runtime

CONTROLLERS = (
    *harness.CONTROLLERS,
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "deployment-controller",
    "replicaset-controller",
    "job-controller",
    "ttl-after-finished-controller",
    "endpoints-controller",
    "endpointslice-controller",
)


@dataclass(frozen=True)
class Node:
    """What a test needs: the control plane, and the namespaces that the node stands on."""

    plane: harness.ControlPlane
    ground: netns.Ground


@contextlib.contextmanager
def node(folder):
    """Start it with its data in `folder`; nothing of it is left at the end."""
    folder = Path(folder)
    with contextlib.ExitStack() as stack:
        ground = stack.enter_context(netns.ground(folder))
        place = harness.Place(ground.slot.inside, ground.enter(), CONTROLLERS, tokens=True)
        plane = stack.enter_context(harness.control_plane(folder, place))
        stack.enter_context(runtime.containerd(folder, ground))
        stack.enter_context(runtime.kubelet(folder, ground, plane, harness.binaries()))
        yield Node(plane, ground)


def main(file):
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="node-", ignore_cleanup_errors=True) as folder, node(folder) as found:
        print(f"ready after {time.monotonic() - begun:.1f} s", flush=True)
        file = Path(file)
        file.write_text(f"kubeconfig={found.plane.kubeconfig}\nkubectl={found.plane.kubectl}\n")
        while file.exists():
            time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
