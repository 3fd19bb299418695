"""Every command, on a cluster, a repository and directories in which everybody writes hostile texts."""

import pytest
import typer
from git_folder import begun, commit
from hostile_texts import EVIL, LINE, HostileMetrics, assert_harmless, freeze, hostile_stage
from shop_manifests import MANIFESTS, POLICY
from stage import work

from orchestrator.cli import main
from orchestrator.operations import requests
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"
# Commands over a cluster, in this order, on a rollout that waits for approval.
WAITING = [
    ("plan --source shop --diff", "text"),
    ("plan --source shop -o json", "text"),
    ("get rollouts", "text"),
    ("get sources", "text"),
    ("get rollouts -o yaml", "text"),
    ("get rollouts -o wide --sort-by .metadata.name", "text"),
    ("get sources -o jsonpath={{..url}}{{..email}}", "text"),
    ("get rollouts -o custom-columns=NAME:.metadata.name,WHY:.status.reason", "text"),
    ("describe shop", "text"),
    ("explain shop", "text"),
    ("watch shop --timeout 1s", "text"),
    ("drift shop", "text"),
    ("history", "text"),
    ("history -o json", "text"),
    ("history -o html", "text"),
    ("report shop", "markdown"),
    ("report shop -o html", "text"),
    ("report shop -o json", "text"),
    ("poll shop", "text"),
    ("freeze shop -m {evil} --for 2h", "text"),
    ("get freezes", "text"),
    ("unfreeze evil", "text"),
    ("stop -m {evil}", "text"),
    ("start", "text"),
    ("approve shop -m {evil}", "text"),
    ("promote shop -m {evil}", "text"),
    ("reject shop -m {evil}", "text"),
    ("get approvals", "text"),
    ("pause shop", "text"),
    ("resume shop", "text"),
    ("metrics try --source shop", "text"),
    ("notify test --source shop", "text"),
    ("workflows watch shop", "text"),
    ("abort shop --here", "text"),
    ("retry shop", "text"),
    ("rollback shop", "text"),
    ("run shop", "text"),
]
# Commands over directories.
DIRECTORIES = [
    ("reach {dir}", "text"),
    ("reach {dir} -o csv", "text"),
    ("reach {dir} -o json", "text"),
    ("why {dir} --from shop/web --to shop/db --port 5432", "text"),
    ("diff {dir} {other}", "text"),
    ("diff {dir} {other} -o markdown", "markdown"),
    ("diff {dir} {other} -o csv", "text"),
    ("lint {dir}", "text"),
    ("lint {dir} -o github", "annotations"),
    ("lint {dir} -o junit", "xml"),
    ("lint {dir} -o sarif", "text"),
    ("check {dir} --base HEAD~1", "markdown"),
    ("check {dir} --base HEAD~1 -o json", "text"),
    ("check {dir} --base HEAD~1 -o github", "annotations"),
    ("check {dir} --base HEAD~1 -o junit", "xml"),
    ("check {dir} --base HEAD~1 -o gitlab", "text"),
    ("lint {dir} -o gitlab", "text"),
    ("test {dir}", "text"),
    ("test {dir} -o junit", "xml"),
    ("generate {dir}", "text"),
    ("convert {dir} --to cilium", "text"),
    ("replay {dir} --flows {flows}", "text"),
]
# What these print is theirs alone, or a process that others' tests drive from outside.
OWN_WORDS = {
    *(
        "demo",
        "import",
        "crds",
        "completion",
        "guard",
        "install",
        "uninstall",
        "export",
        "serve",
        "controller",
    ),
    *("settings", "step", "metrics presets", "workflows render", "init", "schema", "ui"),
}


def commands():
    main.load()
    group = typer.main.get_command(main.app)

    def walk(at, words):
        for name, found in at.commands.items():
            if hasattr(found, "commands"):
                yield from walk(found, [*words, name])
            else:
                yield " ".join([*words, name])

    return set(walk(group, []))


def test_every_command_is_tried():
    tried = {
        name
        for name in commands()
        for line, _ in (*WAITING, *DIRECTORIES)
        if f"{line} ".startswith(f"{name} ")
    }
    missing = commands() - tried - OWN_WORDS
    assert not missing, f"{missing} are not tried: give each a line in WAITING or DIRECTORIES"
    assert commands() >= OWN_WORDS
    assert not tried & OWN_WORDS


def split(line, **values):
    return [word.format(**values) for word in line.split()]


def said(done, form):
    assert "Traceback" not in done.out + done.err, done.err
    assert_harmless(done.out, form if done.out else "text")
    assert_harmless(done.err)


@pytest.fixture(params=["waits", "rolled back"])
def stage(request):
    gate = m.Gate(wave=1, approvals=1)
    found = hostile_stage(good=request.param == "waits", gates=[gate] if request.param == "waits" else [])
    work(found.context(), "one")
    freeze(found)
    rollout = requests.find_rollout(found.context(), NAME)
    metadata = {
        **rollout.manifest["metadata"],
        "annotations": {"netpol-canary.dev/request": f"pause/{LINE.replace('/', '')}/eve"},
    }
    found.cluster.replace({**rollout.manifest, "metadata": metadata})
    return found


def test_commands_over_a_cluster_are_harmless(cli, stage):
    netpol = cli(stage, metrics=HostileMetrics())
    outputs = []
    for line, form in WAITING:
        done = netpol(*split(line, evil=EVIL))
        outputs.append(done.out + done.err)
        try:
            said(done, form)
        except AssertionError as error:
            raise AssertionError(f"{line}: {error}") from None
    assert any("owned" in text for text in outputs), "nothing hostile came through to be made harmless"


@pytest.fixture
def folders(tmp_path):
    """Two states of a directory in Git whose files, names and values are hostile where a file can be."""
    repo = tmp_path / "repo"
    before, after = repo / "before", repo / "after"
    for folder, policy in ((before, POLICY), (after, POLICY.replace("app: web", "app: nobody"))):
        folder.mkdir(parents=True)
        (folder / "evil\x1b[2J\u202e @everyone #12,::error.yaml").write_text(policy)
        noted = MANIFESTS.replace(
            "metadata: {name: web,", 'metadata: {annotations: {a: "\\e[2J @everyone"}, name: web,'
        )
        (folder / "all.yaml").write_text(noted)
        (folder / "evil-test.yaml").write_text(
            "apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n  intents:\n"
            '  - name: "\\e[2J\\u202e @everyone #12 <script>\\n::error::x"\n    expect: reach\n'
            "    from: {workload: shop/web}\n    to: {labels: {app: db}}\n    ports: [{port: 9}]\n"
        )
    (tmp_path / "flows").write_text(
        '{"src": "shop/web", "dst": "shop/db", "port": 5432, "protocol": "TCP", "note": "\\u001b[2J"}\n'
        '{"src": "\\u001b[2J@everyone/x", "dst": "shop/db", "port": 5432, "protocol": "TCP"}\n'
    )
    begun(repo)
    commit(repo, "first", name="Evil @everyone")
    evil = next(after.glob("evil*@*"))
    evil.write_text(evil.read_text().replace("5432", "5433"))
    commit(repo, "evil \x1b[2J @everyone #12 <script>\n::error::x", name="Evil @everyone")
    return {"dir": str(after), "other": str(before), "flows": str(tmp_path / "flows")}


@pytest.mark.parametrize(("line", "form"), DIRECTORIES)
def test_commands_over_directories_are_harmless(cli, folders, line, form):
    done = cli(hostile_stage())(*split(line, **folders))
    assert done.code in (0, 1) and done.out, done.err
    said(done, form)
