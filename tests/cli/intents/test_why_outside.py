"""`why` answers for the outside by its names, as `reach` does, and once for addresses that are answered alike."""

import pytest
from stage import Stage

HEAD = "---\napiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: farm, labels: {app: %s}}\nspec: %s\n"
POD = "{containers: [{name: c}]}"
MILL = "{podSelector: {matchLabels: {app: mill}}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: %s}}], ports: [{port: 81}]}]}"
# Private blocks that another policy names tell the addresses outside apart.
BARN = "{podSelector: {matchLabels: {app: barn}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"


@pytest.fixture
def why(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    netpol = cli(Stage())

    def ask(block, src, dst, more="", port="81", command="why"):
        text = "".join(HEAD % ("v1", "Pod", n, n, POD) for n in ("mill", "barn", *more.split()))
        for name, spec in (("mill", MILL % block), ("barn", BARN)):
            text += HEAD % ("networking.k8s.io/v1", "NetworkPolicy", name, name, spec)
        (tmp_path / "net").mkdir(exist_ok=True)
        (tmp_path / "net/all.yaml").write_text(text)
        return netpol(command, "net", "--from", src, "--to", dst, "--port", port)

    return ask


@pytest.mark.parametrize("word", ["internet", "external"])
def test_the_outside_by_its_name_is_answered_once(why, word):
    done = why("0.0.0.0/0", word, "mill")
    assert done.code == 0
    assert done.out.count("internet to farm/mill on 81/TCP: yes") == 1
    assert done.out.count(" on 81/TCP: ") == 1
    assert "NetworkPolicy farm/mill ingress[0] (net/all.yaml:" in done.out


def test_a_part_that_is_let_in_is_named_by_its_block(why):
    done = why("203.0.113.0/24", "internet", "mill")
    assert done.code == 1 and "203.0.113.0/24 to farm/mill on 81/TCP: yes" in done.out
    assert "internet to farm/mill on 81/TCP: no" in done.out


def test_private_addresses_are_external_and_no_part_of_the_internet(why):
    assert "10.0.0.0/8 to farm/mill on 81/TCP: yes" in why("10.0.0.0/8", "external", "mill").out
    assert "yes" not in why("10.0.0.0/8", "internet", "mill").out
    assert "no connection" in why("10.0.0.0/8", "internet", "mill", command="reach").out
    assert "farm/mill" in why("10.0.0.0/8", "external", "mill", command="reach").out


def test_towards_the_outside(why):
    done = why("0.0.0.0/0", "barn", "external")
    assert "farm/barn to 10.0.0.0/8 on 81/TCP: yes" in done.out
    assert "farm/barn to internet on 81/TCP: no" in done.out


def test_a_workload_of_that_name_is_that_workload(why):
    done = why("0.0.0.0/0", "internet", "barn", more="internet")
    assert done.code == 0 and done.out.startswith("farm/internet to farm/barn on 81/TCP: yes")


def test_outside_to_outside_is_bad_input(why):
    done = why("0.0.0.0/0", "internet", "external")
    assert done.code == 2 and "both ends are outside; name a workload" in done.err
