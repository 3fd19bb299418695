"""What nobody knows to be open is not passed over by the commands that judge a change."""

import json
from pathlib import Path

import pytest
from made import workload
from shop_manifests import POLICIES
from written import written

WEB = workload("web")
INSIDE = "{endpointSelector: {}, egress: [{toEndpoints: [{}]}]}"
NAMES = "{endpointSelector: {}, egress: [{toEndpoints: [{}]}, {toFQDNs: [{matchPattern: '*'}]}]}"
BESIDE = "{endpointSelector: {matchLabels: {app: web}}, enableDefaultDeny: {egress: false}, egress: [{}]}"
RULE = "CiliumNetworkPolicy shop/web egress[1].toFQDNs"
ACCEPTED = """\
accepted:
  - {finding: opened, from: CiliumNetworkPolicy shop/web, to: 'egress[1].toFQDNs', reason: its partners, until: 2099-01-01}
"""


def policy(spec):
    return written("CiliumNetworkPolicy", "shop/web", spec, version="cilium.io/v2")


@pytest.fixture
def sides(tmp_path):
    for name, spec in (("a", INSIDE), ("b", NAMES)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text(WEB + policy(spec))
    return str(tmp_path / "a"), str(tmp_path / "b")


def test_diff_names_the_rule_and_does_not_say_that_nothing_changes(netpol, sides):
    done = netpol("diff", *sides)
    assert done.out == "no connection changes among those that are known\n"
    said = (
        f"what {RULE} ({sides[1]}/all.yaml:7) means depends on which addresses DNS gives for the domain names"
    )
    assert f"not analysed: {said}" in done.err
    (told,) = json.loads(netpol("diff", *sides, "-o", "json").out)["notRead"]
    assert told.startswith(said)
    assert RULE in netpol("diff", *sides, "-o", "markdown").out
    assert netpol("diff", sides[1], sides[1]).out == "no connection changes\n"


def test_check_asks_for_a_person_until_the_rule_is_accepted_by_its_name(repo):
    repo.change(POLICIES + policy(BESIDE))
    repo.commit()
    repo.change(POLICIES + policy(BESIDE.replace("[{}]", "[{}, {toFQDNs: [{matchPattern: '*'}]}]")))
    check = ("check", repo.path, "--base", "HEAD")
    done = repo.run(*check)
    title = "👀 a person has to review it, risk medium: 1 changed rule may open or cut connections"
    assert done.code == 3 and done.out.splitlines()[0].endswith(title), done.out
    assert "No connection changes among those that are known." in done.out and RULE in done.out
    found = json.loads(repo.run(*check, "-o", "sarif").out)["runs"][0]["results"]
    (one,) = [r for r in found if r["ruleId"] == "opened"]
    place = one["locations"][0]["physicalLocation"]
    assert "a rule may open or cut connections" in one["message"]["text"] and "policy.yaml" in str(place), one
    (Path(repo.path) / ".netpol-canary.yaml").write_text(ACCEPTED)
    assert repo.run(*check).code == 0
