"""Runs the steps of action.yml as GitHub's runner does: their scripts in bash, inputs and outputs of steps by expression.

A step that uses another action is told to `used` instead, with its inputs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import yaml
from patience import ENOUGH

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
_EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")


def run(checkout, tmp_path, environment, inputs=(), skip=("install",)):
    """The job's outputs, its log, the summary, what was `used`, and whether it failed, for a checkout."""
    temp = tmp_path / "runner"
    (temp / "netpol-canary").mkdir(parents=True, exist_ok=True)
    bin_folder = temp / "netpol-canary/bin"
    if "install" in skip and not bin_folder.exists():  # what it would install is this program
        bin_folder.symlink_to(Path(sys.executable).parent)
    given = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    known = {f"inputs.{k}": v for k, v in {**given, **dict(inputs)}.items()}
    known |= {
        "github.token": environment.get("TOKEN", ""),
        "github.event_name": environment["GITHUB_EVENT_NAME"],
    }
    known["steps.python.outputs.python-path"] = sys.executable
    known |= {"inputs.token": _filled(known["inputs.token"], known)}
    job = SimpleNamespace(log="", summary="", used={}, failed=False, outputs={})
    for step in ACTION["runs"]["steps"]:
        if step.get("id") in skip or not _runs(step, known, job.failed):
            continue
        if "uses" in step:
            job.used[step["uses"].partition("@")[0]] = {
                k: _filled(str(v), known) for k, v in step.get("with", {}).items()
            }
            continue
        files = {n: temp / n.lower() for n in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        env = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME") or k.startswith("PIP_")},
            **environment,
            **{k: _filled(v, known) for k, v in step.get("env", {}).items()},
            **{k: str(v) for k, v in files.items()},
            "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(temp),
        }
        assert "${{" not in step["run"]  # others' text in a script would be run as one
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, cwd=checkout, env=env, capture_output=True, text=True, timeout=ENOUGH, check=False
        )
        job.log += done.stdout + done.stderr
        job.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        job.failed |= done.returncode != 0
        for name, value in re.findall(r"^([\w-]+)=(.*)$", files["GITHUB_OUTPUT"].read_text(), re.M):
            known[f"steps.{step['id']}.outputs.{name}"] = value
    job.outputs = {name: _filled(one["value"], known) for name, one in ACTION["outputs"].items()}
    return job


def _filled(text, known):
    return _EXPRESSION.sub(lambda found: known.get(found[1], ""), text)


def _runs(step, known, failed):
    """The conditions that stand in action.yml: comparisons joined by &&, and always()."""
    said = step.get("if", "")
    parts = [p.strip() for p in said.split("&&") if p.strip()]
    if failed and "always()" not in parts:
        return False
    for part in parts:
        if part != "always()":
            name, sign, value = re.fullmatch(r"([\w.-]+) (==|!=) '(.*)'", part).groups()
            if (known.get(name, "") == value) != (sign == "=="):
                return False
    return True
