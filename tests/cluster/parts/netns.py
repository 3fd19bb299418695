"""Namespaces of its own for the test node, a cable to this machine, and what a dead predecessor left.

Up to SLOTS nodes run side by side; each holds a lock on its slot, which gives it addresses and names. The node's
process 1 holds the same lock, so a slot is free only once everything in it has ended.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from patience import ENOUGH

HERE = Path(__file__).parent
SLOTS = 16
LOCKS = Path("/run/netpol-canary-tests")
CGROUPS = Path("/sys/fs/cgroup")
UPLINK = "uplink"  # the cable's end inside
UNSHARE = ("unshare", "--net", "--mount", "--mount-proc", "--pid", "--fork", "--ipc")


@dataclass(frozen=True)
class Slot:
    """Names and addresses that no other node on this machine uses."""

    number: int

    @property
    def name(self):
        """Of the cable's end outside, and of the cgroup."""
        return f"netpolcanary{self.number}"

    @property
    def outside(self):
        """This machine's address on the cable."""
        return f"10.213.{self.number}.1"

    @property
    def inside(self):
        """The node's address, where the API server listens too."""
        return f"10.213.{self.number}.2"

    @property
    def pods(self):
        """The node's range of pod addresses, large enough that none is used again during a test run."""
        return f"10.214.{self.number * 16}.0/20"


@dataclass(frozen=True)
class Ground:
    """Namespaces that stand: the process id of their process 1, and their slot."""

    pid: int
    slot: Slot

    def enter(self, *namespaces):
        """What goes before a command to run it inside; in these namespaces only, or in all of them."""
        names = namespaces or ("mount", "net", "pid", "ipc")
        return ("nsenter", "--target", str(self.pid), *(f"--{name}" for name in names), "--")


def cgroups(slot):
    """The node's own cgroup: one, or one for each controller where the machine has version 1."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    trees = [CGROUPS] if unified else [tree for tree in CGROUPS.iterdir() if tree.is_dir()]
    return [tree / slot.name for tree in trees]


@contextlib.contextmanager
def ground(folder):
    """Namespaces for a node whose data is in `folder`; at the end nothing of it is left, nor of dead ones."""
    with _slot() as (slot, lock):
        note = LOCKS / f"{slot.number}.folder"
        note.write_text(str(folder))
        with (Path(folder) / "init.log").open("w") as log:
            init = subprocess.Popen(
                [*UNSHARE, sys.executable, str(HERE / "node_init.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for the tests, which then end this in order
            )
        try:
            said = init.stdout.readline()
            assert said == b"ready\n", (Path(folder) / "init.log").read_text()
            pid = int(Path(f"/proc/{init.pid}/task/{init.pid}/children").read_text().split()[0])
            _cable(slot, pid)
            yield Ground(pid, slot)
        finally:
            init.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                init.wait(ENOUGH)
            init.kill()
            init.wait()
            init.stdout.close()
            _sweep(slot)


@contextlib.contextmanager
def _slot():
    """The first slot that nobody holds; every free one is swept."""
    LOCKS.mkdir(parents=True, exist_ok=True)
    mine = None
    try:
        for number in range(SLOTS):
            lock = _locked(number)
            if lock is None:
                continue
            _sweep(Slot(number))
            if mine:
                os.close(lock)
            else:
                mine = (Slot(number), lock)
        assert mine, f"{SLOTS} test nodes are running on this machine: end one (locks in {LOCKS})"
        yield mine
    finally:
        if mine:
            os.close(mine[1])


def _locked(number):
    """The lock of a slot, as a file descriptor; None where somebody else holds it."""
    lock = os.open(LOCKS / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def holder(number):
    """The folder of the node that has a slot; empty where nobody has it, or somebody who only looks for a free one."""
    lock = _locked(number)
    if lock is not None:
        os.close(lock)
        return ""
    with contextlib.suppress(FileNotFoundError):
        return (LOCKS / f"{number}.folder").read_text()
    return ""


def _sweep(slot):
    """Take away what is left of a node whose processes have ended: cable, cgroups, note."""
    subprocess.run(["ip", "link", "delete", slot.name], check=False, capture_output=True)
    for tree in cgroups(slot):
        _sweep_cgroup(tree)
    note = LOCKS / f"{slot.number}.folder"
    note.unlink(missing_ok=True)


def _sweep_cgroup(tree):
    """Remove a cgroup and those below; the kernel lets go of the last process a moment after its death."""
    end = time.monotonic() + ENOUGH
    while tree.exists() and time.monotonic() < end:
        for path, _, _ in os.walk(tree, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)
        if tree.exists():
            time.sleep(0.1)


def _cable(slot, pid):
    """A veth from this machine to the node, and this machine's way to its pods; none leads further."""
    inside = ("nsenter", "--target", str(pid), "--net", "--", "ip")
    commands = [
        ("ip", "link", "add", slot.name, "type", "veth", "peer", "name", UPLINK, "netns", str(pid)),
        (*inside, "address", "add", f"{slot.inside}/24", "dev", UPLINK),
        (*inside, "link", "set", UPLINK, "up"),
        ("ip", "address", "add", f"{slot.outside}/24", "dev", slot.name),
        ("ip", "link", "set", slot.name, "up"),
        ("ip", "route", "add", slot.pods, "via", slot.inside, "dev", slot.name),
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ENOUGH)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
