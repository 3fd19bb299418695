"""reach, why and diff tell from manifests who may connect to whom, and which lines decide it."""

import csv
import io
import json

import pytest
from shop_manifests import MANIFESTS, POLICY, TESTS
from stage import Stage
from written import pods, policy, written

BLOCK = POLICY.replace("podSelector: {matchLabels: {app: web}}", "ipBlock: {cidr: 10.0.0.0/8}")


@pytest.fixture
def shop(tmp_path):
    def folder(name, policy=POLICY):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text(MANIFESTS)
        (tmp_path / name / "policy.yaml").write_text(policy)
        return str(tmp_path / name)

    return folder


def test_reach_lists_connections_in_every_format(netpol, shop):
    folder = shop("one")
    done = netpol("reach", folder)
    assert "shop/web[Deployment]" in done.out and "TCP 5432" in done.out
    assert "not analysed: 1 AuthorizationPolicy (security.istio.io/v1)" in done.err
    found = json.loads(netpol("reach", folder, "-o", "json").out)
    to_db = [c for c in found["connections"] if c["to"] == "shop/db[StatefulSet]"]
    assert to_db == [{"from": "shop/web[Deployment]", "to": "shop/db[StatefulSet]", "ports": "TCP 5432"}]
    rows = list(csv.DictReader(io.StringIO(netpol("reach", folder, "-o", "csv").out)))
    assert len(rows) == len(found["connections"])
    assert netpol("reach", folder, "-o", "dot").out.startswith("digraph reach {")
    assert netpol("reach", folder, "-o", "mermaid").out.startswith("graph LR")


def test_reach_can_be_narrowed(netpol, shop):
    folder = shop("one")
    narrow = json.loads(netpol("reach", folder, "--from", "external", "--to", "shop/web", "-o", "json").out)
    assert [c["from"] for c in narrow["connections"]] == ["0.0.0.0-255.255.255.255[External]"]
    assert netpol("reach", folder, "--to", "db", "--port", "80").out == "no connection is allowed\n"
    assert "web" in netpol("reach", folder, "--to", "db", "--port", "5432/TCP").out


def test_why_names_rules_files_and_lines(netpol, shop):
    folder = shop("one")
    yes = netpol("why", folder, "--from", "web", "--to", "shop/db", "--port", "5432")
    assert yes.code == 0 and "shop/web to shop/db on 5432/TCP: yes" in yes.out
    assert f"NetworkPolicy shop/db ingress[0] ({folder}/policy.yaml:7)" in yes.out
    no = netpol("why", folder, "--from", "192.0.2.1", "--to", "db", "--port", "5432/TCP")
    assert no.code == 1 and f"NetworkPolicy shop/db: no rule allows it ({folder}/policy.yaml:1)" in no.out


def test_why_depends_on_the_cni_until_it_is_named(netpol, shop):
    folder = shop("one", BLOCK)
    (path,) = [folder]
    with open(f"{path}/pod.yaml", "w") as out:
        pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: job, namespace: shop}\nspec: {}\nstatus: {podIP: 10.1.2.3}\n"
        out.write(pod)
    asked = ["why", folder, "--from", "job", "--to", "db", "--port", "5432"]
    open_ = netpol(*asked)
    assert open_.code == 3 and "depends on the CNI" in open_.out and "whether an ipBlock covers" in open_.out
    assert netpol(*asked, "--cni", "calico").code == 0
    assert netpol(*asked, "--cni", "cilium").code == 1


def test_diff_has_what_hurts_most_first(netpol, shop):
    web = "- from: [{podSelector: {matchLabels: {app: web}}}]"
    wide = POLICY.replace("[{port: 5432}]", "[{port: 5432}, {port: 9}]")
    one = shop("one", wide)
    two = shop(
        "two",
        POLICY.replace(web, "- from: [{ipBlock: {cidr: 192.0.2.0/24}}]\n    ports: [{port: 5432}]\n  " + web),
    )
    rows = [line for line in netpol("diff", one, two).out.splitlines()[1:] if "StatefulSet" in line]
    assert [row.split()[0] for row in rows][:2] == ["opened", "narrowed"]


def test_why_says_that_a_name_is_a_namespace(netpol, shop):
    done = netpol("why", shop("one"), "--from", "shop", "--to", "db", "--port", "5432")
    assert done.code == 2 and "shop is a namespace; name a workload of it, such as shop/" in done.err


def test_diff_says_what_opens_and_what_did_it(netpol, shop):
    one, two = shop("one"), shop("two", POLICY.replace("{app: web}", "{app: wbe}"))
    text = netpol("diff", one, two).out
    assert "cut" in text and text.rstrip().endswith("1 cut")
    assert f"before, Ingress: NetworkPolicy shop/db ingress[0] ({one}/policy.yaml:7)" in text
    three = shop("three", POLICY.replace("- from: [{podSelector: {matchLabels: {app: web}}}]", "- from: []"))
    marked = netpol("diff", one, three, "-o", "markdown").out
    assert "**newly open to the internet**: `shop/db[StatefulSet]`" in marked
    assert "```mermaid" in marked and "➕ opened" in marked
    assert json.loads(netpol("diff", one, three, "-o", "json").out)["changes"][0]["after"] == "TCP 5432"
    assert netpol("diff", one, one).out == "no connection changes\n"
    assert netpol("diff", one, three, "-o", "csv").out.startswith("change,from,to,before,after,note\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["reach", "/nowhere"], "there is no such directory"),
        (["reach", "DIR", "--port", "http"], "http is not a port"),
        (["reach", "DIR", "--cni", "x"], "the CNI profile x is not known"),
        (["reach", "DIR", "-o", "svg"], "-o svg is not known"),
        (["why", "DIR", "--from", "nope", "--to", "db", "--port", "1"], "there is no workload nope"),
        (["why", "DIR", "--from", "web", "--to", "db", "--port", "0"], "0 is not a port"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(netpol, shop, args, said):
    folder = shop("one")
    done = netpol(*(folder if a == "DIR" else a for a in args))
    lines = [line for line in done.err.splitlines() if "not analysed" not in line]
    assert done.code == 2 and len(lines) == 1 and said in lines[0], done


def test_a_bad_policy_is_named_with_its_line(netpol, shop):
    done = netpol("reach", shop("one", "# comment\n" + POLICY.replace("ingress:", "ingres:")))
    assert done.code == 2 and "policy.yaml:2: NetworkPolicy db is not valid: spec.ingres" in done.err


def with_tests(folder, text=TESTS):
    with open(f"{folder}/tests.yaml", "w") as out:
        out.write(text)
    return folder


def test_intents_hold_or_say_which_rules_decide(netpol, shop):
    good = netpol("test", with_tests(shop("one")))
    assert good.code == 0 and good.out.splitlines()[-1] == "3 intents, 3 hold"
    wide = POLICY.replace("- from: [{podSelector: {matchLabels: {app: web}}}]", "- from: []")
    bad = netpol("test", with_tests(shop("two", wide)))
    assert bad.code == 1 and "3 intents, 1 hold" in bad.out
    assert "FAIL  only web" in bad.out
    assert "/tests.yaml:1)" in bad.out and "because it holds cards (" in bad.out
    said = "internet to shop/db on 5432/TCP is allowed (Ingress: NetworkPolicy shop/db ingress[0] ("
    assert said in bad.out and "/two/policy.yaml:7))" in bad.out
    junit = netpol("test", with_tests(shop("three", wide)), "-o", "junit").out
    assert 'tests="3" failures="2"' in junit
    found = json.loads(netpol("test", with_tests(shop("four")), "-o", "json").out)["tests"]
    assert [t["passed"] for t in found] == [True] * 3 and found[0]["checked"] == 1


def test_an_intent_that_selects_nothing_or_depends_does_not_hold(netpol, shop):
    none = netpol("test", with_tests(shop("one"), TESTS.replace("shop/web", "shop/wbe")))
    assert none.code == 2 and "`from` selects no workload" in none.out
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: job, namespace: shop}\nspec: {}\nstatus: {podIP: 10.1.2.3}\n"
    folder = with_tests(shop("two", BLOCK + "---\n" + pod), TESTS.replace("shop/web", "shop/job"))
    assert "depends on the CNI" in netpol("test", folder).out


def test_a_bad_intent_is_named_with_its_line(netpol, shop):
    bad = netpol(
        "test", with_tests(shop("one"), "# first\n---\n" + TESTS.replace("expect: reach", "expect: maybe"))
    )
    assert bad.code == 2 and "tests.yaml:3: PolicyTest spec.intents[0].expect" in bad.err
    assert "there is no PolicyTest here" in netpol("test", shop("two")).err


def test_the_cluster_instead_of_a_directory(cli):
    stage = Stage()
    for name, phase in (("a", "Running"), ("b", "Running"), ("ended", "Succeeded")):
        stage.pod("cart", name, phase=phase)
    netpol = cli(stage)
    asked = ["why", "--cluster", "--from", "a", "--to", "cart/b", "--port", "80"]
    assert netpol(*asked).code == 0
    netpol("run", "--source", "shop")
    done = netpol(*asked)
    assert done.code == 1 and "NetworkPolicy cart/deny: no rule allows it (the cluster:1)" in done.out
    assert "ended" not in netpol("reach", "--cluster").out
    assert netpol("reach").code == netpol("reach", ".", "--cluster").code == 2


INTERNET = """apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: internet}
spec:
  internet: [{name: only web is public, onlyTo: [{workload: shop/web}], reason: the database is not}]
"""


@pytest.mark.parametrize(
    ("policy", "open_"),
    [
        (POLICY, False),
        (BLOCK, False),
        (BLOCK.replace("10.0.0.0/8", "203.0.113.0/24"), True),
        (BLOCK.replace("10.0.0.0/8", "0.0.0.0/0"), True),
        (BLOCK.replace("10.0.0.0/8", "8.0.0.0/5"), True),
    ],
)
def test_nobody_but_these_may_be_open_to_the_internet(netpol, shop, policy, open_):
    done = netpol("test", with_tests(shop("one", policy), INTERNET))
    assert done.code == (1 if open_ else 0), done.out
    assert not open_ or "shop/db on 5432/TCP is allowed" in done.out


def test_a_workload_without_declared_ports_is_not_forgotten(netpol, shop):
    bare = shop("one", POLICY.replace("    ports: [{port: 5432}]\n", "").replace("app: web", "app: db"))
    folder = with_tests(bare)
    with open(f"{folder}/all.yaml", "w") as out:
        out.write(MANIFESTS.replace(", ports: [{containerPort: 5432}]", ""))
    only = TESTS[TESTS.index("  only:") :]
    tests = TESTS[: TESTS.index("  intents:")] + only.replace("[{labels: {app: web}}]", "[]")
    assert netpol("test", with_tests(folder, tests)).code == 0
    with open(f"{folder}/policy.yaml", "w") as out:
        out.write(POLICY.replace("    ports: [{port: 5432}]\n", ""))
    done = netpol("test", with_tests(folder, tests))
    assert done.code == 1 and "shop/web to shop/db on 1/TCP is allowed" in done.out


def test_a_directory_against_the_cluster(cli, tmp_path):
    stage = Stage()
    for space in ("web", "pay"):
        stage.pod(space)
    (tmp_path / "pay").mkdir()
    deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {podSelector: {}}\n"
    (tmp_path / "pay/deny.yaml").write_text(deny)
    netpol = cli(stage)
    done = netpol("diff", str(tmp_path), "--cluster")
    assert done.code == 0 and "newly isolated: pay/a[Pod] (ingress)" in done.out, done
    words = f"after, Ingress: NetworkPolicy pay/deny: no rule allows it ({tmp_path}/pay/deny.yaml:1)"
    assert words in done.out
    data = json.loads(netpol("diff", str(tmp_path), "--cluster", "-o", "json").out)
    assert data["impact"]["isolated"] == ["pay/a[Pod] (ingress)"]
    assert {c["change"] for c in data["changes"]} == {"lost"}
    assert netpol("diff", "main..HEAD", "--cluster").code == 2


DEPLOYMENT = """---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {space}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, ports: [{{containerPort: 9090}}]}}]}}
"""


def test_lost_dns_scrapes_and_our_own_way_are_named(netpol, shop):
    more = "".join(
        DEPLOYMENT.format(name=n, space=s)
        for n, s in (("prometheus", "monitoring"), ("controller", "netpol-canary"))
    )
    one, two = (
        shop("one", ""),
        shop("two", POLICY.replace("  ingress:", "  policyTypes: [Ingress, Egress]\n  ingress:")),
    )
    for folder in (one, two):
        with open(f"{folder}/more.yaml", "w") as out:
            out.write(more)
    done = netpol("diff", one, two)
    assert "newly isolated: shop/db[StatefulSet] (ingress), shop/db[StatefulSet] (egress)" in done.out
    assert "DNS lost: shop/db[StatefulSet]" in done.out
    assert "metrics scrape lost: monitoring/prometheus[Deployment] to shop/db[StatefulSet]" in done.out
    assert "netpol-canary's own way lost: netpol-canary/controller[Deployment] to shop/db" in done.out


NODE = '{hostNetwork: true, containers: [{name: c, image: i, args: [-localip, "169.254.25.10"]}]}'
OUT = "{podSelector: {}, policyTypes: [Egress], egress: [{%sports: [{port: 53, protocol: UDP}]}]}"
CACHE = written("DaemonSet", "kube-system/nodelocaldns", pods("{k8s-app: nodelocaldns}", NODE))
CACHE += written("Pod", "shop/till", about="labels: {app: till}") + policy("shop/names", OUT)
TO_CACHE = "to: [{ipBlock: {cidr: 169.254.25.10/32}}], "


@pytest.mark.parametrize(
    ("cni", "code", "word"),
    [("calico", 0, "yes"), ("kube-router", 0, "yes"), ("cilium", 3, "depends"), ("generic", 3, "depends")],
)
def test_the_cache_on_each_node_is_asked_for_at_its_address(netpol, tmp_path, cni, code, word):
    (tmp_path / "all.yaml").write_text(CACHE % TO_CACHE)
    for name in ("nodelocaldns", "169.254.25.10"):
        asked = ("--from", "till", "--to", name, "--port", "53/UDP", "--cni", cni)
        done = netpol("why", str(tmp_path), *asked)
        title = "shop/till to kube-system/nodelocaldns at 169.254.25.10 on 53/UDP"
        assert done.code == code and f"{title}: {word}" in done.out
        assert ("policyCIDRMatchMode" in done.out) == (code == 3)
    checked = netpol("generate", str(tmp_path), "--check", "--cni", cni)
    assert checked.code == 0 and ("policyCIDRMatchMode: nodes" in checked.err) == (code == 3)


def test_a_rule_for_everybody_opens_the_cache_under_cilium_and_no_rule_none(netpol, tmp_path):
    asked = ("--from", "till", "--to", "nodelocaldns", "--port", "53/UDP", "--cni", "cilium")
    (tmp_path / "all.yaml").write_text(CACHE % "")
    assert netpol("why", str(tmp_path), *asked).code == 0
    (tmp_path / "all.yaml").write_text(CACHE % TO_CACHE.replace("25.10/", "20.10/"))
    assert netpol("why", str(tmp_path), *asked).code == 1


def test_an_entrance_whose_service_is_not_here_is_named_once_and_among_what_was_not_read(netpol, shop):
    ingress = (
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: front, namespace: shop}\n"
        "spec: {defaultBackend: {service: {name: webs, port: {number: 80}}}}\n"
    )
    folder = shop("all", POLICY + ingress)
    said = f"Ingress front in {folder}/policy.yaml:10 leads to Service shop/webs, which is not here"
    for to in ("shop/web", "shop", ""):
        done = netpol("reach", folder, "-o", "json", *(["--to", to] if to else []))
        assert done.err.count(said) == 1 and json.loads(done.out)["notRead"].count(said) == 1
