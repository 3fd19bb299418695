"""The command line on an API server in memory, and on a repository of policies whose changes are checked."""

import sys
from types import SimpleNamespace

import pytest
from git_folder import begun, commit
from shop_manifests import EXPOSED, MANIFESTS, POLICIES, TESTS
from stage import Stage

from orchestrator.cli import main, wiring


@pytest.fixture
def cli(monkeypatch, capsys):
    """`cli(stage)` gives a function that runs a command line there: code, out, err."""

    def on(stage, **ports):
        monkeypatch.setattr(wiring, "connected", lambda target, stop=None: stage.context(**ports))

        def run(*args):
            monkeypatch.setattr(sys, "argv", ["netpol-canary", *args])
            capsys.readouterr()
            try:
                main.main()
                code = 0
            except SystemExit as end:
                code = end.code
            out, err = capsys.readouterr()
            return SimpleNamespace(code=code, out=out, err=err)

        return run

    return on


@pytest.fixture
def netpol(cli):
    """Runs a command line where a stage of its own stands."""
    return cli(Stage())


@pytest.fixture
def repo(tmp_path, netpol):
    """`repo.change(policies)` on top of a base commit; `repo.run(...)` checks it."""
    folder = tmp_path / "repo" / "policies"
    folder.mkdir(parents=True)

    class Repo:
        path = str(folder)
        run = staticmethod(netpol)

        @staticmethod
        def change(policies, more=""):
            (folder / "policy.yaml").write_text(policies)
            (folder / "all.yaml").write_text(MANIFESTS + more)

        @staticmethod
        def commit():
            commit(tmp_path / "repo")

    Repo.git = staticmethod(begun(tmp_path / "repo"))
    (folder / "tests.yaml").write_text(TESTS)
    Repo.change(POLICIES)
    Repo.commit()
    return Repo


@pytest.fixture
def asked(repo):
    """The answer in a format, for a pull request that opens the database to the internet."""
    repo.change(EXPOSED)
    repo.commit()
    return lambda output: repo.run("check", repo.path, "--base", "main~1", "-o", output)
