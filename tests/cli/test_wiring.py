"""What a source asks for is put together: an image for its probes, signatures of its commits."""

import pytest
from stage import Stage

from orchestrator.adapters.git.signatures import SignedRepository
from orchestrator.adapters.identities.grants import Grants
from orchestrator.cli.app import Target
from orchestrator.cli.wiring import PROBE_IMAGE, over, prober, repository
from orchestrator.errors import BadInput
from orchestrator.operations.start import find_source
from orchestrator.rollout.resources.model import Analysis, Git, MetricIdentity, Probing, Prometheus
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


AMP = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"
SIGNED = Analysis(prometheus=Prometheus(url=AMP, identity=MetricIdentity(type="aws")))


def test_what_a_command_may_send_its_own_identity_to_stands_in_the_environment(monkeypatch):
    metrics = over(MemoryCluster(), Target()).metrics
    with pytest.raises(
        BadInput, match=f"may not send its own aws identity to {AMP}; .*NETPOL_CANARY_IDENTITY__AWS"
    ):
        metrics(SIGNED, "prometheus")
    monkeypatch.setenv("NETPOL_CANARY_IDENTITY__AWS", f'["{AMP}"]')
    assert metrics(SIGNED, "prometheus").client.identity is not None


def test_what_serve_may_send_it_to_stands_in_its_settings():
    granted = over(MemoryCluster(), Target(), granted=lambda: Grants(aws=(AMP,))).metrics
    assert granted(SIGNED, "prometheus").client.identity is not None
