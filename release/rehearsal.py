"""`make release-check [TAG=v0.1.0]`: all that .github/workflows/release.yml does with a tag, up to the push.

Each part says what came of it, or why it is skipped here. It ends with 1 where something failed, or TAG may not go out.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

import yaml

from release import krew, versions
from release.archive import made

ROOT = versions.ROOT
CONSTRAINT = ("--constraint", str(ROOT / "requirements/hooks.txt"))
CLEAN = {"HOME", "LANG"}  # of the environment, where the project's own must not be found
REACHED = re.compile(r"PIP_|UV_|SSL_CERT|REQUESTS_CA|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy")
EXAMPLE = "git+https://git.example.com/platform/netpol-canary"
PARTS = ("wheel", "contents", "plugin", "installs", "hooks", "ci", "chart", "image")
INSTALL = re.compile(
    r"\b(?:pip|pipx|uv tool) install (?:'\.\[[\w,]+\]'|\.(?=[\s`]|$)|git\+https:[^\s`]+)", re.MULTILINE
)


class Skipped(Exception):
    """What cannot be tried here, and why."""


def environment(*folders: Path) -> dict[str, str]:
    """With the machine's own programs and those of the folders, and how package indexes are reached."""
    path = [str(f) for f in folders] + ["/usr/local/bin", "/usr/bin", "/bin"]
    kept = {k: v for k, v in os.environ.items() if k in CLEAN or REACHED.match(k)}
    return {**kept, "PATH": os.pathsep.join(path)}


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """What it printed. Raises AssertionError where it fails."""
    words = [str(c) for c in command]
    done = subprocess.run(
        words, cwd=cwd, env=env or environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"{' '.join(words)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    )
    return done.stdout + done.stderr


class Rehearsal:
    """The parts in their order; each finds what those before it made in `folder`."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.folder, self.tag = folder, tag
        self.dist = folder / "dist"

    def fresh(self, name: str, *packages: str | Path, tools: str = "") -> Path:
        """The Python of a new environment with these packages in the versions that are locked, and tools by their hashes."""
        place = self.folder / name
        venv.create(place, with_pip=True, symlinks=True)
        pip = (place / "bin/python", "-m", "pip", "install", "-q")
        if tools:
            run(*pip, "--require-hashes", "-r", ROOT / "requirements" / tools)
        if packages:
            run(*pip, *CONSTRAINT, *packages)
        return place / "bin/python"

    def shop(self, name: str) -> Path:
        """A repository of policies, as the demo leaves it."""
        run(
            self.folder / "installed/bin/netpol-canary", "demo", "--keep", self.folder / name, cwd=self.folder
        )
        return self.folder / name

    def wheel(self) -> str:
        """Built, installed into a fresh environment, and asked its version there."""
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", self.dist, ROOT)
        (wheel,) = self.dist.glob("netpol_canary-*.whl")
        python = self.fresh("installed", wheel)
        said = run(python.parent / "netpol-canary", "--version", cwd=self.folder).strip()
        assert said == f"netpol-canary {wheel.name.split('-')[1]}", said
        run(python.parent / "netpol-canary", "crds", cwd=self.folder)  # reads what the wheel brings along
        run(python.parent / "kubectl-netpol_canary", "get", "--help", cwd=self.folder)
        return f"{wheel.name}, {said}"

    def contents(self) -> str:
        """A bill of materials of that environment, which names each package that is locked."""
        python = self.folder / "installed/bin/python"
        tool = self.fresh("tools", tools="contents.txt")
        file = self.dist / "netpol-canary.cdx.json"
        run(tool, "-m", "cyclonedx_py", "environment", "--output-reproducible", "-o", file, python)
        components = json.loads(file.read_text())["components"]
        found = {(re.sub(r"[-_.]+", "-", c["name"]).lower(), c["version"]) for c in components}
        lines = (ROOT / "requirements/hooks.txt").read_text()
        locked = set(re.findall(r"^([\w.-]+)==([^\s;]+)", lines, re.MULTILINE))  # some by Python version
        others = {name for name, _ in found - locked}
        assert "netpol-canary" in others and others <= {"netpol-canary", "pip", "setuptools"}, others
        assert len(found & locked) > 20, found
        return f"{file.name}, {len(found)} components"

    def chart(self) -> str:
        """Linted and packaged by Helm's own program, built from its Go module."""
        if shutil.which("go") is None:
            raise Skipped("there is no Go to build Helm's program with")
        beside_tests("tests/cluster/installation", "tests/cluster/parts")
        from helm_program import CHART, helm

        version = versions.stated()["Chart.yaml version"]
        for words in (("lint", "--strict", CHART), ("package", CHART, "--destination", self.dist)):
            done = helm(*words)
            assert done.returncode == 0, done.stdout + done.stderr
        assert (self.dist / f"netpol-canary-{version}.tgz").is_file()
        return f"netpol-canary-{version}.tgz"

    def plugin(self) -> str:
        """The archive of this platform: unpacked as krew does, and run by a link with no other Python near."""
        (wheel,) = self.dist.glob("netpol_canary-*.whl")
        python = self.fresh("packager", wheel, tools="packager.txt")
        archive = made(self.dist, self.tag, python)
        home = self.folder / "krew"
        with tarfile.open(archive) as tar:
            assert all(m.isreg() and ".." not in m.name for m in tar.getmembers())
            tar.extractall(home / "store", filter="data")
        (home / "bin").mkdir()
        plugin = home / "bin" / krew.PROGRAM
        plugin.symlink_to(home / "store" / krew.PROGRAM)
        said = run(plugin, "--version", cwd=home).strip()
        assert said == f"netpol-canary {wheel.name.split('-')[1]}", said
        run(plugin, "get", "--help", cwd=home)
        run(plugin, "crds", cwd=home)
        shop = home / "shop"
        run(plugin, "demo", "--keep", shop, cwd=home)  # git, threads, numpy, templates
        run(plugin, "lint", shop, "--fail-on", "never", cwd=home)
        file = self.dist / "netpol-canary.yaml"
        krew.write(file, self.tag, "https://example.com/releases", [archive])
        size = archive.stat().st_size >> 20
        return f"{archive.name}, {size} MiB; not tried for {', '.join(set(krew.PLATFORMS) - {krew.here()})}"

    def installs(self) -> str:
        """Each installation of the readme and the documentation, as it is written, from a clone."""
        clone = self.folder / "clone"
        run("git", "clone", "-q", ROOT, clone)
        tools = [self.fresh("uv", tools="build.txt").parent, self.fresh("pipx", "pipx").parent]
        for number, line in enumerate(documented()):
            place = self.folder / f"documented-{number}"
            venv.create(place, with_pip=True, symlinks=True)
            homes = {f"{n}_DIR": str(place / "bin") for n in ("UV_TOOL_BIN", "PIPX_BIN")}
            homes |= {"UV_TOOL_DIR": str(place / "tools"), "PIPX_HOME": str(place / "tools")}
            command = line.replace(EXAMPLE, f"git+file://{clone}")
            run("bash", "-ec", command, cwd=clone, env={**environment(place / "bin", *tools), **homes})
            run(place / "bin/netpol-canary", "--version", cwd=self.folder)
            run(place / "bin/kubectl-netpol_canary", "--version", cwd=self.folder)
        return "; ".join(documented())

    def hooks(self) -> str:
        """pre-commit itself, with the hooks as .pre-commit-hooks.yaml has them, on a repository of policies."""
        tool = self.fresh("pre-commit", "pre-commit")
        repo = self.shop("hooked")
        hooks = [
            {"id": h["id"], "args": ["."]}
            for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        ]
        config = {
            "repos": [{"repo": str(ROOT), "rev": run("git", "rev-parse", "HEAD").strip(), "hooks": hooks}]
        }
        (repo / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        run("git", "add", "-A", cwd=repo)
        env = {**environment(tool.parent), "PRE_COMMIT_HOME": str(self.folder / "pre-commit-home")}
        run(tool, "-m", "pre_commit", "run", "--all-files", cwd=repo, env=env)
        return ", ".join(h["id"] for h in hooks)

    def ci(self) -> str:
        """The steps of the Action and of the GitLab component, their own installation with them."""
        beside_tests("tests/ci")
        import component
        import composite_action

        repo, given = self.shop("checked"), {"directory": ".", "base": "HEAD"}
        job = composite_action.run(
            repo,
            self.folder / "action",
            {"GITHUB_EVENT_NAME": "push"},
            {**given, "comment": "false"},
            skip=(),
        )
        assert not job.failed and job.outputs["exit-code"] == "0" and "✅" in job.summary, job.log
        done = component.run(repo, {}, {**given, "comment": False}, parts=("before_script", "script"))
        assert done.code == 0 and (repo / "netpol-canary.md").is_file(), done.log
        return "the Action and the GitLab component install themselves and check"

    def image(self) -> str:
        """Built as the cluster tier does, on base images made here."""
        beside_tests("tests/cluster/installation", "tests/cluster/parts")
        import harness
        import image_build

        if os.geteuid() != 0 or shutil.which("go") is None or image_build.missing():
            raise Skipped(f"an image is built as root with Go and {image_build.missing() or 'buildah'}")
        archive = self.folder / "image.tar"
        image_build.build(harness.binaries() / "kubectl", archive)
        size = image_build.unpacked_bytes(archive) >> 20
        return f"{size} MiB, on stand-ins of its base images; no attestations: those are the workflow's"


def beside_tests(*folders: str) -> None:
    """Programs of tests find each other there."""
    sys.path[:0] = [str(ROOT / f) for f in (*folders, "tests/support")]


def documented() -> list[str]:
    """The installations of the program that pages show, each once."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return list(dict.fromkeys(found for page in pages for found in INSTALL.findall(page.read_text())))


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tag", default="", help="the tag that is to go out; else what the files say")
    asked.add_argument("--only", action="append", choices=PARTS, help="this part, after those that it needs")
    asked.add_argument("--keep", metavar="DIR", type=Path, help="where what was built is kept")
    given = asked.parse_args()
    failed = 0
    said = versions.refusals(given.tag) if given.tag else versions.differing()
    print(f"versions: {'; '.join(said) or 'the same everywhere'}", flush=True)
    failed += bool(said)
    tag = given.tag or f"v{versions.stated()['pyproject.toml']}"
    with tempfile.TemporaryDirectory(prefix="netpol-canary-release-") as scratch:
        rehearsal = Rehearsal(Path(scratch), tag)
        for part in PARTS if not given.only else [p for p in PARTS if p == "wheel" or p in given.only]:
            try:
                print(f"{part}: {getattr(rehearsal, part)()}", flush=True)
            except Skipped as why:
                print(f"{part}: skipped: {why}", flush=True)
            except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
                failed += 1
                print(f"{part}: FAILED: {error}", flush=True)
        if given.keep is not None and not failed:
            shutil.copytree(rehearsal.dist, given.keep, dirs_exist_ok=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
