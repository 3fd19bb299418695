"""Argo on a real API server without Argo: its CRDs, a walker in a thread, and each pod's command as a process."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from argo_walk import Argo
from patience import ENOUGH, eventually
from people import service_account
from reading import patient
from scene import OWN, PROGRAM

from orchestrator.adapters.clock import SystemClock

ROUND = 0.4  # seconds
CRDS = Path(__file__).parents[4] / "shared" / "argo-crds"


def install(plane):
    """Argo's full CRDs; skips where the CRDs are not at hand."""
    if not CRDS.is_dir():
        pytest.skip(f"Argo's CRDs are not at hand: {CRDS} is no directory")
    files = [str(f) for f in sorted(CRDS.glob("*.yaml"))]
    plane.run("apply", "--server-side", *(a for f in files for a in ("-f", f)))
    # `kubectl wait` fails on a CRD that has no conditions yet.
    kinds = ("workflows.argoproj.io", "workflowtemplates.argoproj.io")
    for kind in kinds:
        eventually(lambda kind=kind: "Established" in plane.run("get", "crd", kind, "-o", "json"))


# A process is not in a container: it keeps its home, and there is no node for probes.
LEFT_OUT = ("HOME", "NETPOL_CANARY_PROBE_IMAGE")


class Pod:
    """A pod's command as a process, with the rights of the account that pods have."""

    def __init__(self, argv, env, kubeconfig, log):
        assert argv[0] == "netpol-canary"
        self.argv = argv
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [PROGRAM, *argv[1:], "--kubeconfig", kubeconfig],
                stdout=out,
                stderr=out,
                env={**os.environ, **{k: v for k, v in env.items() if k not in LEFT_OUT}},
            )

    def poll(self):
        return self.process.poll()

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(ENOUGH)


class Held:
    """A pod that begins once its source is not held any more."""

    def __init__(self, pods, source, step, begin):
        self._pods, self._source, self._step, self._begin, self._pod = pods, source, step, begin, None

    def poll(self):
        if self._pod is None and self._pods.hold.get(self._source) != self._step:
            self._pod = self._begin()
        return None if self._pod is None else self._pod.poll()

    def kill(self):
        if self._pod is not None:
            self._pod.kill()


class Pods:
    """Argo's part on a plane whose namespace and accounts stand, until `close`."""

    def __init__(self, plane, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = service_account(plane, self.folder, OWN, "netpol-canary-step").kubeconfig
        self.pods, self.on_begin = [], []
        self.hold = {}  # for a source the step that its workflow does not begin
        self._waiting = {}
        self.argo = Argo(patient(plane.kubeconfig), OWN, self._begin, SystemClock().now)
        self._stop, self.problem = threading.Event(), None
        self._thread = threading.Thread(target=self._work, name="argo", daemon=True)
        self._thread.start()

    def held(self):
        """The sources whose workflows wait before the step that they are held at."""
        return {source for source, step in self._waiting.items() if self.hold.get(source) == step}

    def _begin(self, argv, env, name):
        rollout, step = argv[argv.index("--rollout") + 1], argv[2]
        source = rollout.rpartition("-")[0]
        if self.hold.get(source) == step:
            self._waiting[source] = step
            return Held(self, source, step, lambda: self._started(argv, env, name))
        return self._started(argv, env, name)

    def _started(self, argv, env, name):
        pod = Pod(argv, env, self.kubeconfig, self.folder / f"{name}-{len(self.pods)}.log")
        self.pods.append(pod)
        for act in list(self.on_begin):
            act(pod)
        return pod

    def _work(self):
        try:
            while not self._stop.wait(ROUND):
                self.argo.step()
        except BaseException as error:
            self.problem = error

    def close(self):
        """No pod outlives it."""
        self._stop.set()
        self._thread.join(ENOUGH)
        for pod in self.pods:
            pod.kill()
        if self.problem is not None:
            raise self.problem


def drained(pods):
    """Wait until no pod runs, and Argo has had the time to begin another where one is due."""
    eventually(lambda: all(p.poll() is not None for p in pods.pods))
    time.sleep(2 * ROUND)
