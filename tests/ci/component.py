"""Runs the job of the GitLab component as GitLab does: inputs filled in, then its script with its variables in bash."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import yaml
from patience import ENOUGH

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "templates/check/template.yml"
SPEC, JOB = yaml.safe_load_all(TEMPLATE.read_text())
_INPUT = re.compile(r"\$\[\[ inputs\.([\w-]+) \]\]")


def filled(given):
    """The one job, by name, with these inputs; KeyError where one is missing that has no default."""
    known = {name: one.get("default") for name, one in SPEC["spec"]["inputs"].items()} | dict(given)

    def fill(value):
        if isinstance(value, dict):
            return {fill(k): fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [fill(v) for v in value]
        return _INPUT.sub(lambda m: _text(known[m[1]]), value) if isinstance(value, str) else value

    return next(iter(fill(JOB).items()))


def _text(value):
    assert value is not None, "an input without a default is not given"
    return json.dumps(value) if isinstance(value, bool) else value


def run(checkout, environment, given=(), parts=("script",)):
    """Exit code and log of the job's script; `parts` may name `before_script`, which installs the program, too."""
    _, job = filled({"repository": str(ROOT), "version": "HEAD", **dict(given)})
    env = {
        **{k: v for k, v in os.environ.items() if k == "HOME" or k.startswith("PIP_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **environment,
        **job["variables"],
    }
    script = "\n".join(line for part in parts for line in job[part])
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=checkout,
        env=env,
        capture_output=True,
        text=True,
        timeout=ENOUGH,
        check=False,
    )
    return SimpleNamespace(code=done.returncode, log=done.stdout + done.stderr, job=job)
