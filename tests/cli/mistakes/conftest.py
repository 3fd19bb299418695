"""Transcripts of mistakes: what was typed in which files, and the whole of what standard error then says."""

import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from git_folder import begun, commit

from orchestrator.cli import main
from orchestrator.cli.mistakes.frames import FRAMES

_CASE = re.compile(r"^### (.+)\n\$ (.+)\n", re.MULTILINE)
_FILE = re.compile(r"^--- (\S+)\n", re.MULTILINE)
SAID = "said"


def cases(name):
    """Those of a file beside this one: a title, a command line, files, and under `said` what is said of them."""
    text = (Path(__file__).parent / f"{name}.txt").read_text()
    _, *parts = _CASE.split(text)
    found = []
    for title, line, rest in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        _, *named = _FILE.split(rest)
        files = dict(zip(named[::2], named[1::2], strict=True))
        found.append(SimpleNamespace(title=title, line=line, said=files.pop(SAID).strip("\n"), files=files))
    return found


def pytest_generate_tests(metafunc):
    if "mistake" in metafunc.fixturenames:
        found = cases(metafunc.module.CASES)
        metafunc.parametrize("mistake", found, ids=[case.title for case in found])


@pytest.fixture
def made(monkeypatch, capsys, tmp_path):
    """`made(mistake)` makes it in a Git repository of its own: exit code, and standard error as somebody on a terminal sees it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv(FRAMES, "1")
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "NETPOL_CANARY_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)

    def make(mistake):
        begun(tmp_path)
        for name, text in mistake.files.items():
            place = tmp_path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text.replace("<TAB>", "\t").replace("<NOTHING>\n", ""))
        commit(tmp_path)
        *settings, _, rest = re.split(r"(?:^|(?<= ))(netpol-canary)", mistake.line, maxsplit=1)
        for setting in shlex.split("".join(settings)):
            monkeypatch.setenv(*setting.split("=", 1))
        monkeypatch.setattr(sys, "argv", ["netpol-canary", *shlex.split(rest)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main.main()
        said = capsys.readouterr().err.replace(str(tmp_path), "/repo").rstrip("\n")
        return SimpleNamespace(code=end.value.code, said=said)

    return make
