"""The policy agent as a test handles it: start, stop, kill, and how it denies. See policy_agent.py."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from patience import ENOUGH, eventually
from watching import tell

HERE = Path(__file__).parent


class Agent:
    """One agent in a node's network namespace, with its files in `folder`."""

    def __init__(self, folder, ground, kubeconfig):
        self.folder, self.ground, self.kubeconfig = Path(folder), ground, kubeconfig
        self.folder.mkdir()
        self._child = None

    def start(self):
        """Run it; returns once what stands in the API server is enforced."""
        assert self._child is None, "the policy agent is running already"
        self._said.unlink(missing_ok=True)
        command = [sys.executable, HERE / "policy_agent.py", self.kubeconfig, self.folder]
        with (self.folder / "log").open("a") as log:
            self._child = subprocess.Popen(
                [*self.ground.enter("net"), *map(str, command)], stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        self._in_force(self._said.exists)

    def stop(self):
        """End it in order: it takes its rules away, so that nothing is enforced."""
        self._end(self._child.terminate)

    def kill(self):
        """End it at once: the rules that it had loaded stay, whatever changes in the API server."""
        self._end(self._child.kill)

    def mode(self, name="drop", cut=False, delay=0):
        """How packets are denied: `drop` or `reject`; returns once that is in force.

        With `cut`, connections that stand are held to today's policies; else only new ones are. `delay` is the
        seconds between a change in the API server and its enforcement.
        """
        assert name in ("drop", "reject"), name
        wanted = {"reject": name == "reject", "cut": cut, "delay": delay}
        tell(self.folder / "settings.json", json.dumps(wanted))
        if self._child:
            self._in_force(lambda: self._said.exists() and json.loads(self._said.read_text()) == wanted)

    @contextlib.contextmanager
    def running(self):
        """Start it, and end it at the end where a test has not."""
        self.start()
        try:
            yield self
        finally:
            if self._child:
                self.stop()

    def restored(self):
        """Run it as at first, whatever a test did to it."""
        if self._child is None:
            self.start()
        self.mode()

    @property
    def _said(self):
        return self.folder / "in-force.json"

    def _end(self, how):
        child, self._child = self._child, None
        how()
        try:
            child.wait(ENOUGH)
        finally:
            child.kill()
            child.stdin.close()

    def _in_force(self, condition):
        eventually(lambda: condition() or self._child.poll() is not None, every=0.05)
        assert condition(), "the policy agent: " + (self.folder / "log").read_text()[-2000:]
