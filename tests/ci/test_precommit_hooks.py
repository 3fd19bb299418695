"""The hooks of pre-commit, as .pre-commit-hooks.yaml has them, on a repository of policies. `make release-check` has pre-commit do it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from patience import ENOUGH
from shop_manifests import EXPOSED, MANIFESTS, POLICIES, TESTS

ROOT = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def shown():
    """Ids and arguments of the hooks that the documentation shows."""
    block = re.search(r"# \.pre-commit-config\.yaml\n(.*?)```", (ROOT / "docs/policies.md").read_text(), re.S)
    (repo,) = yaml.safe_load(block[1])["repos"]
    return {hook["id"]: hook["args"] for hook in repo["hooks"]}


def hooked(name, folder):
    """The hook as pre-commit runs it: its entry, then the arguments that the documentation shows, in the repository."""
    program, *rest = shlex.split(HOOKS[name]["entry"])
    command = [Path(sys.executable).with_name(program), *rest, *shown()[name]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=ENOUGH, check=False)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_passes_and_fails_with_what_it_is_about(name, tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    for file, text in (("policy.yaml", POLICIES), ("all.yaml", MANIFESTS), ("tests.yaml", TESTS)):
        (folder / file).write_text(text)
        assert re.search(HOOKS[name]["files"], f"policies/{file}")
    done = hooked(name, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    bad = "kind: [x\n" if name.endswith("lint") else EXPOSED
    (folder / "policy.yaml").write_text(bad)
    assert hooked(name, tmp_path).returncode != 0


def test_the_documentation_shows_each_hook():
    assert shown().keys() == HOOKS.keys()
    assert all(h["language"] == "python" and h["pass_filenames"] is False for h in HOOKS.values())
