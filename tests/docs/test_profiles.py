"""docs/clusters.md has a row for each CNI profile: by which DaemonSets it is found, and what it enforces."""

import re
from pathlib import Path

import pytest

from orchestrator.policy.evaluate.cni_profiles import PROFILES

PAGE = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text()
ROWS = {
    found[1]: found[0].strip("| ").split(" | ")
    for found in re.finditer(
        r"^\| `([\w.:-]+)` \| .*$", PAGE.partition("## Who enforces what")[2], re.MULTILINE
    )
}
COVERS = {True: "yes", False: "no", None: "depends"}
HOST = {True: "its node", None: "depends"}


def test_every_profile_has_a_row():
    assert {*ROWS} == {*PROFILES}


@pytest.mark.parametrize("name", PROFILES)
def test_a_row_says_what_the_profile_says(name):
    _, found_by, enforces, covers, host = ROWS[name]
    profile = PROFILES[name]
    assert re.findall(r"`([\w-]+)`", found_by.partition("else")[0]) == [*profile.daemons]
    wanted = [kind for group, kind in profile.enforces or () if group != "projectcalico.org"]
    if not enforces.startswith(("the same", "Calico's own")):
        assert all(kind in enforces for kind in wanted)
    unsaid = [kind for kind in re.findall(r"\w+NetworkPolicy\b", enforces) if kind not in wanted]
    assert [*unsaid] == (["FQDNNetworkPolicy"] if name == "gke-dataplane-v2" else [])
    assert re.sub(r"[\[\]]|\(.*\)|:.*", "", covers) == COVERS[profile.answers.get("block_covers_pods")]
    assert host == HOST[profile.answers.get("host_as_node")]
