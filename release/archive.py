"""The kubectl plugin as an archive that runs without Python, for the platform at hand: `python -m release.archive DIR TAG`.

PyInstaller makes it, from an environment in which the wheel is installed: with the interpreter, so that a machine needs
neither one nor wheels for it. It makes archives of the machine that it runs on alone; .github/workflows/release.yml has one
of each.
"""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from release.krew import PROGRAM, archive_name, here

ROOT = Path(__file__).parents[1]
# What is read as files, or loaded by name where no import says it.
GIVEN = (
    *("--collect-all", "orchestrator", "--collect-submodules", "workflows"),
    *("--collect-data", "kubernetes_validate", "--collect-data", "hera"),
    *("--copy-metadata", "netpol-canary", "--exclude-module", "tkinter", "--noconfirm", "--clean"),
)


def made(to: Path, tag: str, python: Path = Path(sys.executable)) -> Path:
    """The archive, in that directory; `python` is of an environment with the program and PyInstaller. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = ("--distpath", f"{scratch}/made", "--workpath", f"{scratch}/work", "--specpath", scratch)
        entry = str(ROOT / "release/plugin_entry.py")
        command = [str(python), "-m", "PyInstaller", *GIVEN, *folders, "--onedir", "--name", PROGRAM, entry]
        subprocess.run(command, check=True, cwd=scratch)
        return packed(Path(scratch, "made", PROGRAM), to / archive_name(tag, here()))


def packed(folder: Path, archive: Path) -> Path:
    """What is in the folder and the license, in a fixed order, of nobody and of no time.

    Plain files alone: krew unpacks no links.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar,
    ):
        for path in sorted(Path(d, f) for d, _, files in os.walk(folder, followlinks=True) for f in files):
            tar.add(path, str(path.relative_to(folder)), filter=_plain)
        text = (ROOT / "LICENSE").read_bytes()
        about = tarfile.TarInfo("LICENSE")
        about.size, about.mode = len(text), 0o644
        tar.addfile(about, io.BytesIO(text))
    return archive


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


if __name__ == "__main__":
    print(made(Path(sys.argv[1]), sys.argv[2]))
