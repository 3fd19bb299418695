"""Programs on hostile data end at their limits, with everything that they started."""

import os
import signal
import subprocess
import sys

import pytest

from orchestrator.adapters import contained
from orchestrator.adapters.contained import MIB, Ended, Limits, run

HERE = {"PATH": os.environ["PATH"]}


def tried(command, **more):
    with pytest.raises(Ended) as caught:
        run(command, Limits(**{"seconds": 30, "output": MIB, **more}), HERE)
    return caught.value.why


def test_what_is_written_comes_back_with_the_exit_code_and_the_errors():
    done = run(["sh", "-c", "cat; echo no >&2; exit 3"], Limits(30, 8 * MIB), HERE, b"x" * 3 * MIB)
    assert (done.code, len(done.out), done.errors) == (3, 3 * MIB, "no\n")


def test_a_program_that_does_not_read_its_input_ends_all_the_same():
    assert run(["true"], Limits(30, MIB), HERE, b"x" * 3 * MIB).code == 0


def test_endless_output_ends_it_and_a_sink_takes_it_in_parts():
    assert tried(["yes"]) == "output"
    parts = []
    run(["head", "-c", "3000000", "/dev/zero"], Limits(30, 4 * MIB), HERE, sink=parts.append)
    assert sum(map(len, parts)) == 3_000_000 and max(map(len, parts)) <= contained.CHUNK


def test_endless_errors_are_cut():
    code = "import sys; sys.stderr.write('x' * 3000000)"
    assert len(run([sys.executable, "-c", code], Limits(30, MIB), HERE).errors) == contained.MOST_ERRORS


def test_time_ends_it_also_where_a_child_keeps_its_output_open():
    assert tried(["sh", "-c", "sleep 60 & exit 0"], seconds=0.3) == "time"


def test_memory_of_all_children_together_ends_it():
    child = "x = b'x' * (40 << 20); print('there', flush=True); import time; time.sleep(60)"
    code = f"import subprocess, sys; a = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(3)]; a[0].wait()"
    assert tried([sys.executable, "-c", code], resident=100 * MIB) == "memory"


def test_one_process_cannot_hold_more_data_than_it_may_however_fast_it_is():
    code = "x = bytearray(400 << 20)"
    done = run([sys.executable, "-c", code], Limits(30, MIB, data=200 * MIB), HERE)
    assert done.code == 1 and "MemoryError" in done.errors


def test_many_processes_end_it():
    assert (
        tried(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; wait"], processes=5)
        == "processes"
    )


def test_files_have_a_largest_size(tmp_path):
    command = ["sh", "-c", f"head -c 3000000 /dev/zero > {tmp_path}/large"]
    done = run(command, Limits(30, MIB, file=MIB), HERE)
    assert done.code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ, 1)
    assert (tmp_path / "large").stat().st_size <= MIB


def test_nobody_is_left_behind(tmp_path):
    run(["sh", "-c", f"sleep 77 >/dev/null 2>&1 & echo $! > {tmp_path}/pid"], Limits(30, MIB), HERE)
    left = int((tmp_path / "pid").read_text())
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(left)], capture_output=True, text=True).stdout
    assert not state.strip() or state.startswith("Z")


def test_a_sink_that_raises_ends_it():
    def no(part):
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        run(["yes"], Limits(30, MIB), HERE, sink=no)
