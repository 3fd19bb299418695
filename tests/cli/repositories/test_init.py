"""`init` writes a repository that every command takes as it is, asks for what is missing, and never writes over anything."""

import builtins
import json
import re
import shlex
import sys

import pytest
import yaml
from cni_policies import cilium
from git_folder import begun, commit
from jsonschema import Draft7Validator
from stage import Stage
from written import policy

from orchestrator.cli.repositories.ci_files import CI_FILES
from orchestrator.cli.rollouts.sources import from_file
from orchestrator.measure.strategy_check import unjudged
from orchestrator.policy.translate.made import LAST_APPLIED
from orchestrator.rollout.resources import model as m

GIVEN = ("--name", "payments", "--repository", "https://git.example.com/platform/policies.git")
GITHUB = (*GIVEN, "--namespaces", "cart,checkout", "--host", "github")
LABELS = (*GIVEN, "--selector", "team=shop,tier=web", "--host", "gitlab")
CHOICE = re.compile(r"^(\s*)# (?=(?:[a-zA-Z]+:|- name:|  [a-zA-Z]+:) ?)", re.M)


@pytest.fixture
def netpol(cli, tmp_path, monkeypatch):
    """The command line in a new directory, with nobody at the terminal."""
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    return cli(Stage())


@pytest.fixture
def answers(monkeypatch):
    """`answers(...)` sits at the terminal; what was asked is in what it gives."""

    def sit(*texts):
        left, asked = list(texts), []

        def answer(question):
            asked.append(question)
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(builtins, "input", answer)
        return asked

    return sit


def there(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".git/" not in str(p)}


def deny(folder):
    """A policy that denies all egress, DNS with it."""
    (folder / "policies/_shared").mkdir()
    text = policy("deny", "{podSelector: {}, policyTypes: [Egress]}")
    (folder / "policies/_shared/deny.yaml").write_text(text)


@pytest.fixture(params=[GITHUB, LABELS], ids=["names, GitHub", "labels, GitLab"])
def written(request, netpol, tmp_path):
    done = netpol("init", *request.param)
    assert done.code == 0, done.err
    return tmp_path / "new"


def test_its_waves_are_judged(written):
    analysis = from_file(str(written / "policysource.yaml")).spec.strategy.analysis
    assert unjudged(analysis, able=True) == "" and analysis.probing.edges


def test_the_source_is_one(written):
    source = from_file(str(written / "policysource.yaml"))
    assert source.name == "payments" and source.spec.git.path == "policies"
    assert source.spec.git.url == GIVEN[-1]
    named = source.spec.namespaces
    if named.names:
        assert named.names == ["cart", "checkout"] and source.spec.strategy.canary == ["cart"]
    else:
        assert named.match_labels == [m.Label(key="team", value="shop"), m.Label(key="tier", value="web")]


def test_every_choice_in_its_comments_is_one(written):
    for name, load in (
        ("policysource.yaml", m.PolicySourceSpec.model_validate),
        ("policies/policytest.yaml", None),
    ):
        text = (written / name).read_text()
        plain, chosen = yaml.safe_load(text), yaml.safe_load(CHOICE.sub(r"\1", text))
        assert chosen != plain
        assert fits(written, text, chosen)
        if load:
            assert load(chosen["spec"]).feedback.host in ("github", "gitlab")


def fits(folder, text, document):
    """Whether a file is what the schema says that its first line names."""
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)[1]
    path = next(p for p in (folder / named, folder / "policies" / named) if p.is_file())
    return Draft7Validator(json.loads(path.read_text())).is_valid(document)


def test_each_file_fits_the_schema_that_stands_beside_it(written):
    for name in ("policysource.yaml", "policies/policytest.yaml"):
        text = (written / name).read_text()
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)[1]
        schema = json.loads(((written / name).parent / named).read_text())
        assert list(Draft7Validator(schema).iter_errors(yaml.safe_load(text))) == []


def test_its_test_holds(written, netpol):
    done = netpol("test", "policies")
    assert done.code == 0 and re.search(r"(\d) intents?, \1 holds?", done.out), done.err
    assert "names resolve in " in done.out


def test_its_test_finds_that_dns_is_lost(written, netpol):
    deny(written)
    done = netpol("test", "policies")
    assert done.code == 1 and "because without DNS nothing works" in done.out


def asked_by_ci(folder):
    """The arguments with which its CI file runs `check`, against main, and the variable by which a job there is known."""
    (file,) = (folder / name for name in CI_FILES.values() if (folder / name).exists())
    run = yaml.safe_load(file.read_text())
    steps = run["policies"]["script"] if "policies" in run else run["jobs"]["check"]["steps"]
    lines = [step if isinstance(step, str) else step.get("run", "") for step in steps]
    (call,) = (line.partition(" ||")[0] for line in lines if "netpol-canary check" in line)
    for variable, value in (("$BASE", "main"), ("$base", "main"), ("$GITHUB_STEP_SUMMARY", "summary.md")):
        call = call.replace(variable, value)
    return shlex.split(call)[1:], "GITLAB_CI" if "policies" in run else "GITHUB_ACTIONS"


def test_its_ci_checks_pull_requests(written, netpol, monkeypatch):
    call, variable = asked_by_ci(written)
    git = begun(written)
    commit(written, "begin")
    git("checkout", "-q", "-b", "topic")
    for name in ("GITLAB_CI", "GITHUB_ACTIONS", "GITHUB_REF", "CI_MERGE_REQUEST_IID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "true")
    assert netpol(*call).code == 0 and "✅" in (written / "summary.md").read_text()
    deny(written)
    commit(written, "deny")
    done = netpol(*call)
    handed = {"GITLAB_CI": "quality.json", "GITHUB_ACTIONS": "policies.sarif"}[variable]
    assert done.code == 1 and "names resolve in " in (written / "summary.md").read_text()
    assert "names resolve in " in (written / handed).read_text()


def test_it_says_what_it_wrote_and_every_command_up_to_the_first_rollout(netpol, tmp_path):
    done = netpol("init", *GITHUB)
    lines = done.out.splitlines()
    assert done.err == ""
    files = lines[0].partition(": ")[2].split(", ")
    assert there(tmp_path / "new") == {f for f in there(tmp_path / "new") if f.startswith(tuple(files))}
    assert len(there(tmp_path / "new")) == 4 + 5
    assert [line for line in lines if line.startswith("  ")] == [
        "  kubectl get deploy,sts,ds,svc,ns -A -o yaml > policies/_workloads/all.yaml",
        "  netpol-canary import --cluster --only cart --only checkout --to policies",
        "  netpol-canary test policies",
        "  git add -A && git commit -m 'Begin with policies' && git push origin HEAD:main",
        "  kubectl apply -f policysource.yaml",
        "  netpol-canary watch payments",
    ]


def test_it_writes_elsewhere_and_says_the_commands_for_there(netpol, tmp_path):
    done = netpol("init", *LABELS, "--directory", "../a folder")
    assert done.code == 0 and (tmp_path / "a folder/policysource.yaml").exists()
    assert "netpol-canary test '../a folder/policies'" in done.out
    assert "--only {.metadata.name}" in done.out and "-l team=shop,tier=web" in done.out


def test_nothing_is_written_where_something_stands(netpol, tmp_path):
    file = tmp_path / "new/.github/workflows/policies.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("mine\n")
    done = netpol("init", *GITHUB)
    assert done.code == 2 and done.out == "" and len(done.err.splitlines()) == 1
    assert "policies.yaml: a file with other content stands there; give --force" in done.err
    assert there(tmp_path / "new") == {".github/workflows/policies.yaml"} and file.read_text() == "mine\n"
    assert netpol("init", *GITHUB, "--force").code == 0 and "mine" not in file.read_text()
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    done = netpol("init", *GITHUB, "--force")
    assert done.code == 2 and "something else stands" in done.err and not (tmp_path / "elsewhere").exists()


def test_the_same_again_changes_nothing(netpol):
    assert netpol("init", *GITHUB).code == netpol("init", *GITHUB).code == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "--name and --repository and --namespaces or --selector are missing; give them"),
        (GITHUB[:4], "--namespaces or --selector is missing; give it"),
        ((*GITHUB, "--name", "Pay ments"), '--name: "Pay ments" is no DNS label'),
        ((*GITHUB, "--host", "hub"), "--host: there is no CI file for 'hub'; take github or gitlab"),
        ((*GITHUB, "--namespaces", "cart,Check"), '--namespaces: "Check" is no DNS label'),
        (
            (*GITHUB, "--namespaces", " , "),
            "--namespaces: no namespace is named; name one, or give --selector",
        ),
        (
            (*GITHUB, "--canary", "chekout"),
            "--canary: chekout is not among --namespaces; did you mean checkout?",
        ),
        (
            (*GITHUB, "--selector", ",".join(f"l{n}=x" for n in range(17))),
            "policysource.yaml: PolicySource spec.namespaces.matchLabels: holds more than 16 items",
        ),
        ((*GITHUB, "--selector", "team"), "--selector: team is no label; write it as team=shop"),
        ((*GITHUB, "--selector", "te am=x"), '--selector: "te am" is no label key'),
        ((*GITHUB, "--selector", "team=-"), '--selector: "-" is no label value'),
        ((*GITHUB, "--repository", "http://git.example.com/x"), "--repository: http:// is not taken"),
        ((*GITHUB, "--repository", "https://ann:secret@git.example.com/x"), "must not hold credentials"),
        ((*GITHUB, "--repository", "https://x/y\nz: 1"), "--repository: an address has no spaces"),
        (
            (*GITHUB, "--repository", "nowhere"),
            "there is no repository at nowhere; give an https:// or ssh://",
        ),
        ((*GITHUB, "--directory", "/proc/none"), "/proc/none: cannot be written"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(netpol, tmp_path, given, said):
    done = netpol("init", *given)
    assert done.code == 2 and done.out == "" and len(done.err.splitlines()) == 1
    assert said in done.err and there(tmp_path / "new") == set()


def test_it_asks_for_what_is_missing_until_it_can_be_read(netpol, tmp_path, answers):
    asked = answers("Pay", "", "https://github.com/shop/policies", "cart,checkout", "cartt", "checkout")
    done = netpol("init")
    assert done.code == 0, done.err
    assert [q.split("[")[0].strip(": ") for q in asked] == [
        *("Name of the source", "Name of the source", "URL of the repository"),
        *("Namespaces, as cart,checkout, or their labels, as team=shop", "First wave", "First wave"),
    ]
    source = from_file(str(tmp_path / "new/policysource.yaml"))
    assert source.name == "new" and source.spec.strategy.canary == ["checkout"]
    assert "did you mean cart?" in done.out and (tmp_path / "new/.github").is_dir()


def test_it_asks_for_nothing_where_nothing_is_missing(netpol, answers):
    asked = answers()
    assert netpol("init", *GITHUB).code == 0 and asked == []


def test_whoever_stops_answering_is_told_how_to_go_on(netpol, answers, tmp_path):
    answers("shop")
    done = netpol("init")
    assert done.code == 2 and "no answer came; give the options" in done.err
    assert there(tmp_path / "new") == set()


def test_the_remote_origin_is_the_repository_without_its_credentials(netpol, tmp_path):
    git = begun(tmp_path / "new")
    git("remote", "add", "origin", "https://ann:secret@gitlab.example.com/shop/policies.git")
    assert netpol("init", "--name", "shop", "--namespaces", "cart").code == 0
    text = (tmp_path / "new/policysource.yaml").read_text()
    assert "url: https://gitlab.example.com/shop/policies.git" in text and "secret@" not in text
    assert "repository: shop/policies," in text and (tmp_path / "new/.gitlab-ci.yml").exists()


def test_the_user_of_an_origin_over_ssh_is_no_credential(netpol, tmp_path):
    git = begun(tmp_path / "new")
    git("remote", "add", "origin", "ssh://git@gitlab.example.com/shop/policies.git")
    assert netpol("init", "--name", "shop", "--namespaces", "cart").code == 0
    assert "url: ssh://git@gitlab.example.com/" in (tmp_path / "new/policysource.yaml").read_text()


def test_a_repository_over_ssh_names_its_secret(netpol, tmp_path):
    done = netpol("init", *GITHUB, "--repository", "git@github.com:shop/policies.git")
    assert done.code == 0, done.err
    source = from_file(str(tmp_path / "new/policysource.yaml"))
    assert source.spec.git.secret_ref == "payments-git" and source.spec.git.url.startswith("git@")


def test_a_folder_within_a_repository_is_not_its_root(netpol, tmp_path):
    begun(tmp_path / "new")
    done = netpol("init", *GITHUB, "--directory", "inner")
    assert done.code == 2 and f"give --directory {tmp_path / 'new'}" in done.err


def test_names_that_yaml_reads_as_something_else_stay_names(netpol, tmp_path):
    done = netpol("init", *GITHUB, "--name", "123", "--namespaces", "on,1a", "--selector", "a=true")
    assert done.code == 0, done.err
    source = from_file(str(tmp_path / "new/policysource.yaml"))
    assert source.name == "123" and source.spec.namespaces.names == ["on", "1a"]
    assert source.spec.namespaces.match_labels[0].value == "true"
    assert netpol("test", "policies").code == 0


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("https://git.example.com:8443/policies.git", "--from-literal=token=TOKEN"),
        ("ssh://git@git.example.com/policies.git", "--from-file=sshKey=FILE --from-file=knownHosts=FILE"),
    ],
)
def test_a_private_repository_names_its_secret_and_how_it_is_made(netpol, tmp_path, url, keys):
    done = netpol("init", "--name", "shop", "--namespaces", "cart", "--repository", url, "--private")
    assert f"  kubectl -n netpol-canary create secret generic shop-git {keys}\n" in done.out
    assert from_file(str(tmp_path / "new/policysource.yaml")).spec.git.secret_ref == "shop-git"


def test_a_host_whose_ci_is_not_known_gets_no_ci_file(netpol, tmp_path):
    given = ("--name", "shop", "--namespaces", "cart")
    done = netpol("init", *given, "--repository", "https://codeberg.org:8443/shop/policies.git")
    assert done.code == 0 and "no CI file: --host github or gitlab writes one" in done.out
    assert not there(tmp_path / "new") & set(CI_FILES.values())
    assert "repository: shop/policies, " in (tmp_path / "new/policysource.yaml").read_text()


def workload(space, name="web", calls=""):
    """A Deployment as kubectl's apply leaves it, which calls another, and its Service."""
    meta = {"name": name, "namespace": space, "annotations": {LAST_APPLIED: "{}", "own": "kept"}}
    labels = {"app": name}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    container = {"name": name, "image": name, "ports": [{"containerPort": 8080}]}
    spec["template"]["spec"] = {"containers": [{**container, "env": [{"name": "API", "value": calls}]}]}
    yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec, "status": {"x": 1}}
    ports = [{"port": 80, "targetPort": 8080}]
    meta = {"name": name, "namespace": space}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"selector": labels, "ports": ports},
    }


@pytest.fixture
def running(cli, netpol):
    """`running(*more)` is a command line where two namespaces of a shop have a workload each, and more objects stand."""

    def on(*more):
        stage = Stage()
        for obj in (*workload("web", calls="http://web.pay"), *workload("pay")):
            stage.cluster.create(obj)
        for obj in more:
            stage.cluster.create(yaml.safe_load(obj))
        return cli(stage)

    return on


def test_it_begins_with_the_workloads_of_a_cluster_and_says_how_first_policies_are_written(running, tmp_path):
    netpol = running()
    done = netpol("init", *GIVEN, "--namespaces", "pay,web", "--cluster")
    assert done.code == 0, done.err
    text = (tmp_path / "new/policies/_workloads/all.yaml").read_text()
    documents = list(yaml.safe_load_all(text))
    assert all(list(o)[:2] == ["apiVersion", "kind"] for o in documents)
    (web,) = (o for o in documents if o["kind"] == "Deployment" and o["metadata"]["namespace"] == "web")
    assert "status" not in web and web["metadata"]["annotations"] == {"own": "kept"}
    assert "uid" not in web["metadata"] and "no policy stands in pay, web" in done.out
    line = next(line for line in done.out.splitlines() if "generate" in line)
    done = netpol(*shlex.split(line)[1:])
    assert done.code == 0, done.err
    folders = {p.name for p in (tmp_path / "new/policies").iterdir() if p.is_dir()}
    assert folders == {"_workloads", "pay", "web"}


def test_what_workloads_ask_for_by_name_is_a_probe(running, tmp_path):
    assert running()("init", *GIVEN, "--namespaces", "pay", "--cluster").code == 0
    (probe,) = from_file(str(tmp_path / "new/policysource.yaml")).spec.strategy.analysis.probes
    assert (probe.source, probe.destination, probe.port) == ("web/web", "pay/web", 8080)
    assert probe.expect == "reach"


def test_policies_that_stand_are_taken_over_with_what_the_source_needs_for_them(running, tmp_path):
    netpol = running(
        policy("pay/old", "{podSelector: {}}"), cilium("pay/more", "{endpointSelector: {}, ingress: [{}]}")
    )
    done = netpol("init", *GIVEN, "--selector", "team=shop", "--canary", "pay", "--cluster")
    assert done.code == 0, done.err
    assert "3 policies of cart, pay, web" in done.out
    spec = from_file(str(tmp_path / "new/policysource.yaml")).spec
    assert spec.conflicts == "adopt"
    assert [k.kind for k in spec.kinds] == ["NetworkPolicy", "CiliumNetworkPolicy"]
    assert there(tmp_path / "new") >= {
        "policies/cart/old.yaml",
        "policies/pay/old.yaml",
        "policies/pay/more.yaml",
    }
    assert netpol("lint", "policies").code in (0, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--namespaces", "webb"), "there is no namespace webb in the cluster; did you mean web?"),
        (("--selector", "team=shop", "--canary", "carts"), "there is no namespace carts in the cluster"),
        (("--selector", "team=other"), "no namespace of the cluster has the labels team=other"),
    ],
)
def test_namespaces_that_the_cluster_does_not_have_are_said_and_nothing_is_written(
    running, tmp_path, given, said
):
    done = running()("init", *GIVEN, *given, "--cluster")
    assert done.code == 2 and said in done.err and there(tmp_path / "new") == set()
