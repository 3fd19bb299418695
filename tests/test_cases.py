"""How cases from public reports are run and counted."""

import os
import time

import pytest
import reports


@pytest.fixture
def cases(tmp_path):
    """A function that adds a case with this script."""

    def add(name, script):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.sh").write_text(script)
        return tmp_path

    return add


def test_the_last_line_counts_the_cases_and_those_that_are_right(cases, capsys):
    cases("01-right", "true")
    folder = cases("02-wrong", "echo what was seen; exit 3")

    assert reports.main([str(folder)]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines == ["02-wrong: exit code 3", "    what was seen", "2 cases, 1 right"]


def test_a_list_names_the_cases_to_run(cases, capsys, tmp_path):
    cases("01-wrong", "exit 1")
    folder = cases("02-right", "true")
    (tmp_path / "list").write_text("# those that are right\n02-right # and why\n")

    assert reports.main([str(folder), "--only", str(tmp_path / "list")]) == 0
    assert capsys.readouterr().out == "1 cases, 1 right\n"


def test_a_listed_case_that_is_gone_is_no_success(cases, capsys, tmp_path):
    folder = cases("01-right", "true")
    (tmp_path / "list").write_text("02-gone\n")

    assert reports.main([str(folder), "--only", str(tmp_path / "list")]) == 2
    assert "02-gone" in capsys.readouterr().err


def test_a_folder_without_cases_is_bad_input(tmp_path, capsys):
    assert reports.main([str(tmp_path)]) == 2
    assert "run.sh" in capsys.readouterr().err


def test_a_case_that_does_not_end_is_ended_with_all_it_started(cases, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(reports, "SECONDS", 1)
    folder = cases("01-hangs", f"sleep 600 & echo $! > {tmp_path}/pid; wait")

    assert reports.main([str(folder)]) == 1

    assert "not done after 1 s" in capsys.readouterr().out
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 30
    while _runs(child):
        assert time.monotonic() < deadline, "what the case started goes on"
        time.sleep(0.05)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"
