"""What a source asks for is put together: an image for its probes, signatures of its commits."""

import pytest
from stage import Stage

from orchestrator.adapters.git.signatures import SignedRepository
from orchestrator.cli.wiring import PROBE_IMAGE, prober, repository
from orchestrator.errors import BadInput
from orchestrator.operations.start import find_source
from orchestrator.rollout.resources.model import Git, Probing
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster


@pytest.mark.parametrize(
    ("own", "setting", "given", "used"),
    [
        ("", "", "", None),
        ("ours:1", "", "", "ours:1"),
        ("ours:1", "set:3", "", "set:3"),
        ("ours:1", "set:3", "theirs:2", "theirs:2"),
    ],
)
def test_which_image_probes_run(monkeypatch, own, setting, given, used):
    monkeypatch.setenv(PROBE_IMAGE, own)
    found = prober(MemoryCluster(), SimulatedClock(), Probing(image=given), "rollout-1", own=setting)
    assert (found and found.image) == used


def test_a_source_that_asks_for_signatures_gets_them_checked(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stage = Stage()
    stage.source("signed", git=Git(url=str(tmp_path), verify={"mode": "commits", "secret_ref": "signers"}))
    source = find_source(stage.context(), "signed")
    found = repository(
        source, lambda name, where: {"allowedSigners": b"ann ssh-ed25519 AAAA"} if name else {}
    )
    assert isinstance(found, SignedRepository) and found.mode == "commits"
    with pytest.raises(BadInput, match=r"PolicySource signed spec\.git\.verify\.secretRef: .*nobody"):
        repository(source, lambda name, where: {})
