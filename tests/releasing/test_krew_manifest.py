"""krew's manifest holds what krew asks for, and archives are such that it unpacks them."""

import hashlib
import importlib
import os
import re
import subprocess
import sys
import tarfile

import pytest
import yaml

from release import archive, krew, publish, versions

TAG = "v9.9.9"
ADDRESS = "https://git.example.com/releases/download/v9.9.9/"


@pytest.fixture
def archives(tmp_path):
    """One of each platform, of a folder as PyInstaller leaves it: a program, libraries, links between them."""
    folder = tmp_path / "made"
    (folder / "_internal/inner").mkdir(parents=True)
    program = folder / krew.PROGRAM
    program.write_text("#!/bin/sh\ncat $(dirname $(readlink -f $0))/_internal/link.so\n")
    program.chmod(0o755)
    (folder / "_internal/inner/lib.so").write_text("library")
    (folder / "_internal/link.so").symlink_to("inner/lib.so")
    (folder / "_internal/current").symlink_to("inner")
    (folder / "_internal/hard.so").hardlink_to(folder / "_internal/inner/lib.so")
    return [
        archive.packed(folder, tmp_path / "dist" / krew.archive_name(TAG, place)) for place in krew.PLATFORMS
    ]


def test_an_archive_holds_plain_files_of_nobody_alone(archives):
    """krew refuses links, and names with two dots in a row; see extractTARGZ of its downloader."""
    with tarfile.open(archives[0]) as tar:
        members = tar.getmembers()
    assert {m.name for m in members} >= {
        krew.PROGRAM,
        "_internal/link.so",
        "_internal/current/lib.so",
        "LICENSE",
    }
    assert all(m.isreg() and ".." not in m.name and not m.name.startswith("/") for m in members)
    assert {(m.uid, m.uname, m.mtime) for m in members} == {(0, "", 0)}
    assert len({a.read_bytes() for a in archives}) == 1  # nothing of when and by whom


def test_the_manifest_is_what_krew_takes(archives):
    found = krew.manifest(TAG, ADDRESS, archives)
    spec = found["spec"]
    assert (found["apiVersion"], found["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert re.fullmatch(r"[\w-]+", found["metadata"]["name"]) and spec["version"] == TAG
    assert f"kubectl-{found['metadata']['name'].replace('-', '_')}" == krew.PROGRAM
    assert (
        spec["shortDescription"]
        and "\n" not in spec["shortDescription"]
        and len(spec["shortDescription"]) < 60
    )
    places = [tuple(p["selector"]["matchLabels"].values()) for p in spec["platforms"]]
    assert places == [("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64")]
    for one, path in zip(spec["platforms"], archives, strict=True):
        assert one["uri"] == f"https://git.example.com/releases/download/v9.9.9/{path.name}"
        assert one["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert set(one["selector"]["matchLabels"]) == {"os", "arch"}
    assert len({p["uri"] for p in spec["platforms"]}) == 4


def test_its_files_and_bin_lead_to_a_program_that_runs_by_a_link(archives, tmp_path):
    one = krew.manifest(TAG, ADDRESS, archives)["spec"]["platforms"][0]
    assert one["files"] == [{"from": "*", "to": "."}]  # krew moves what the glob finds at the top
    with tarfile.open(archives[0]) as tar:
        tar.extractall(tmp_path / "store", filter="data")
    link = tmp_path / krew.PROGRAM
    link.symlink_to(tmp_path / "store" / one["bin"])
    assert subprocess.run([link], capture_output=True, text=True, check=True).stdout == "library"


def test_archives_of_another_tag_are_refused(archives):
    with pytest.raises(ValueError, match=r"no archive of v0\.2\.0"):
        krew.manifest("v0.2.0", ADDRESS, archives)


def test_nothing_is_published_where_a_platform_or_the_notes_are_missing(archives, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="the notes of this version"):
        publish.main(TAG, ADDRESS, tmp_path / "dist")
    monkeypatch.setattr(versions, "notes", lambda version: f"- of {version}")
    publish.main(TAG, ADDRESS, tmp_path / "dist")
    written = yaml.safe_load((tmp_path / "dist/netpol-canary.yaml").read_text())
    assert len(written["spec"]["platforms"]) == 4 and (tmp_path / "notes.md").read_text() == "- of 9.9.9\n"
    archives[2].unlink()
    with pytest.raises(SystemExit, match=re.escape(archives[2].name)):
        publish.main(TAG, ADDRESS, tmp_path / "dist")


@pytest.mark.parametrize(("before", "after"), [("/mine", "/mine"), (None, None)])
def test_what_the_archive_starts_gets_the_machine_s_own_libraries(monkeypatch, before, after):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/archive/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    monkeypatch.delitem(sys.modules, "release.plugin_entry", raising=False)
    importlib.import_module("release.plugin_entry")

    assert os.environ.get("LD_LIBRARY_PATH") == after
