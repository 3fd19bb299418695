"""The control plane that cluster tests share, and when they are skipped."""

import fcntl
import gc
import os
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from orchestrator.adapters.git import skipped

ASKED = "NETPOL_CANARY_CLUSTER"

gc.set_threshold(50_000)  # as the program has it; see orchestrator/cli/process.py

settings.register_profile("patient", deadline=None)  # a busy machine takes as long as it takes
settings.load_profile("patient")

# Where nothing configures logs, a traceback is drawn with all variables in it, which takes seconds; the program draws none.
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback


@pytest.fixture(autouse=True)
def collecting():
    """A command that ends by itself leaves cycles to its end, which is none here."""
    yield
    gc.enable()


# The cluster tier hands out whole files: those that take minutes first, the slowest before all, so that no worker has one left at the end.
SLOWEST = (
    "node_rollouts",
    "image",
    "argo_dag",
    "node_left_behind",
    "node",
    "guard_boundaries",
    "rollout",
    "node_probes",
    "replicas_told",
)


def _compiled():
    """Whether there is nothing to wait for: every file of tests has been compiled once, with its asserts as pytest has them."""
    end = f"{sys.implementation.cache_tag}-pytest-{pytest.__version__}.pyc"
    files = Path(__file__).parent.rglob("test_*.py")
    return sys.dont_write_bytecode or all(
        (f.parent / "__pycache__" / f"{f.stem}.{end}").exists() for f in files
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """On a new clone one worker compiles the tests while the others wait, for they need the same."""
    with Path(__file__).open() as this:
        if not _compiled():
            fcntl.flock(this, fcntl.LOCK_EX)
        if _compiled():
            fcntl.flock(this, fcntl.LOCK_UN)
        return (yield)


def _turn(item):
    name = Path(item.path).stem.removeprefix("test_")
    slow = bool(item.get_closest_marker("cluster")) and name in SLOWEST
    return SLOWEST.index(name) if slow else len(SLOWEST)


def pytest_collection_modifyitems(items):
    items.sort(key=_turn)
    if os.environ.get(ASKED):
        return
    skip = pytest.mark.skip(reason=f"needs a real API server: `make test-cluster` sets {ASKED}")
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def as_a_process_begins():
    """What a process says once is said in each test, and where its log goes is each test's own affair."""
    yield
    skipped._said.clear()
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def harness():
    """The module tests/cluster/parts/harness.py."""
    import harness

    return harness


@pytest.fixture(scope="session")
def plane(harness, tmp_path_factory):
    """A ControlPlane with the CRDs installed: that of KUBECONFIG, or one of our own."""
    given = os.environ.get("KUBECONFIG")
    folder = tmp_path_factory.mktemp("plane")
    with harness.given(given) if given else harness.control_plane(folder) as found:
        if given:
            found.apply_crds()
        yield found
