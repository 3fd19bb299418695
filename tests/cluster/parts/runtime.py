"""Containerd, the CNI's file, the scheduler and the kubelet of the test node: their files and commands."""

import contextlib
import subprocess
from pathlib import Path

import images
import netns
import yaml
from patience import ENOUGH, eventually

NODE = "node"
PLUGINS = "/usr/lib/cni"
SOCKET = "/run/containerd/containerd.sock"  # /run is the node's own
# In memory: unpacked images are fifty thousand files, which a disk takes minutes to delete, and the kernel none.
IMAGES = "/run/containerd-images"
CONTAINERD = """\
version = 2
root = "{images}"
state = "/run/containerd"
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
disable_apparmor = true
disable_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{folder}/cni"
"""
# Point to point: every packet between pods passes the node's forward hook, where the policy agent stands.
CNI = """\
{{"cniVersion": "0.4.0", "name": "pods", "plugins": [{{"type": "ptp", "mtu": 1500, "ipam": {{
  "type": "host-local", "ranges": [[{{"subnet": "{pods}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
"""


def kubelet_config(slot):
    """A KubeletConfiguration for a machine that may not give it every right."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{slot.name}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,
        "resolvConf": "",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "address": slot.inside,
        "healthzBindAddress": "127.0.0.1",
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 200,
        "nodeStatusUpdateFrequency": "5s",
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "registryPullQPS": 0,
        "eventRecordQPS": 50,
        "shutdownGracePeriod": "0s",
    }


@contextlib.contextmanager
def running(command, log, **options):
    """A child whose output goes to the file `log`, ended at the end."""
    with Path(log).open("w") as out:
        child = subprocess.Popen([str(c) for c in command], stdout=out, stderr=out, **options)
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(ENOUGH)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextlib.contextmanager
def containerd(folder, ground):
    """Containerd in the node's namespaces, with the images in it."""
    (folder / "cni").mkdir()
    (folder / "cni" / "10-pods.conflist").write_text(CNI.format(pods=ground.slot.pods))
    config = folder / "containerd.toml"
    config.write_text(
        CONTAINERD.format(folder=folder, images=IMAGES, socket=SOCKET, pause=images.PAUSE, plugins=PLUGINS)
    )
    inside, log = ground.enter(), folder / "containerd.log"
    with running([*inside, "containerd", "--config", config], log) as child:
        ctr = [*inside, "ctr", "--address", SOCKET]
        _until(lambda: _succeeds([*ctr, "version"]), child, log)
        archive = folder / "images.tar"
        images.write(archive)
        load(ground, archive)
        archive.unlink()
        yield


def load(ground, archive):
    """Give containerd the images of an OCI archive."""
    command = [*ground.enter(), "ctr", "--address", SOCKET, "-n", "k8s.io", "images", "import", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * ENOUGH, check=False)
    assert done.returncode == 0, f"ctr images import: {done.stderr}"


@contextlib.contextmanager
def kubelet(folder, ground, plane, binaries):
    """The kubelet and the scheduler in the node's namespaces; the node is Ready."""
    config = folder / "kubelet.yaml"
    config.write_text(yaml.safe_dump(kubelet_config(ground.slot)))
    inside, log = ground.enter(), folder / "kubelet.log"
    scheduler = [
        *inside,
        binaries / "kube-scheduler",
        f"--kubeconfig={plane.kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
    agent = [
        *inside,
        binaries / "kubelet",
        f"--config={config}",
        f"--kubeconfig={plane.kubeconfig}",
        f"--hostname-override={NODE}",
        f"--node-ip={ground.slot.inside}",
    ]
    for tree in netns.cgroups(ground.slot):
        tree.mkdir(exist_ok=True)
    with running(scheduler, folder / "kube-scheduler.log"), running(agent, log) as child:
        ready = "-o=jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        _until(lambda: plane.run("get", "node", NODE, ready, check=False) == "True", child, log)
        yield


def _succeeds(command):
    return subprocess.run(command, capture_output=True, check=False, timeout=ENOUGH).returncode == 0


def _until(condition, child, log):
    """Wait for a condition while `child` lives; its log's end is the reason where it does not come."""
    came = []
    with contextlib.suppress(AssertionError):
        eventually(lambda: came.append(condition()) or came[-1] or child.poll() is not None)
    named = " ".join(map(str, child.args[:9]))
    assert came[-1], f"{named} did not get ready:\n{log.read_text()[-3000:]}"
