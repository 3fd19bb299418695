"""Process 1 of the test node's namespaces: private mounts, then a reaper until its standard input ends.

`unshare --net --mount --mount-proc --pid --fork --ipc python3 node_init.py`. It prints `ready` when the mounts
stand. Standard input is a pipe from the test process: when that dies, however it dies, this ends, and the
kernel then kills every process of the node, and takes its mounts and its network with them.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# What containerd, CNI plugins and the kubelet write outside of their own folders: gone with the node.
PRIVATE = ("/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet")
# The kubelet sets these for the whole machine, unless they already read like this.
KERNEL = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}
# Of this network namespace alone. Unlimited ICMP errors, so that a reject answers every time.
NETWORK = {"net/ipv4/ip_forward": 1, "net/ipv4/icmp_ratelimit": 0}


def mount(*args):
    subprocess.run(["mount", *map(str, args)], check=True)


def private_mounts():
    """Empty folders of our own where the machine's are, and files that say what the kubelet wants to read."""
    for path in PRIVATE:
        Path(path).mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "tmpfs", path)
    answers = Path(tempfile.mkdtemp(dir="/run"))
    for number, (name, value) in enumerate(KERNEL.items()):
        wanted = answers / str(number)
        wanted.write_text(f"{value}\n")
        mount("--bind", wanted, f"/proc/sys/{name}")


def network():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, value in NETWORK.items():
        Path("/proc/sys", name).write_text(str(value))


def reap(*_):
    """Collect what was orphaned, such as containerd's shims."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main():
    private_mounts()
    network()
    signal.signal(signal.SIGCHLD, reap)
    print("ready", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
