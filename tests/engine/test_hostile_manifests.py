"""Hundreds of odd shapes, each in a source of its own beside a good one: that is rolled out every time, the odd is said where it stands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from beside import Beside
from odd_shapes import SHAPES, written
from stage import DENY, Repository, files

NAMES = sorted(SHAPES)
AT_ONCE = 50
BLOCKS = [NAMES[n : n + AT_ONCE] for n in range(0, len(NAMES), AT_ONCE)]
VERBS = ["lint", "reach", "test", "plan"]
MOST_MEMORY = 300  # MiB


def test_there_are_more_than_a_hundred_and_fifty():
    assert len(SHAPES) >= 150 and len({written(text) for text in SHAPES.values()}) >= 150


def beside(names):
    """A source for each of these shapes, over a namespace of its own, beside a good one."""
    found = Beside()
    for number, name in enumerate(names):
        space = f"odd-{number}"
        given = {f"{space}/odd.yaml": written(SHAPES[name]), f"{space}/deny.yaml": files(DENY)["all.yaml"]}
        found.source(f"a-odd-{number}", space, Repository(("c" * 40, given)))
    return found


@pytest.mark.parametrize("names", BLOCKS, ids=lambda names: names[0][:40])
def test_the_good_source_is_rolled_out_beside_odd_ones(names):
    rounds = beside(names)
    ended = rounds.go(3)
    assert ended["shop-cccccccccc"] == "Succeeded"
    assert rounds.faults() == [0, 0]
    wrong = []
    for number, name in enumerate(names):
        source = f"a-odd-{number}"
        said, phase = rounds.ready(source), ended.get(f"{source}-cccccccccc")
        placed = said.status == "False" and said.reason != "InternalError" and "odd.yaml" in said.message
        if not (placed and phase is None) and not (said.status == "True" and phase == "Succeeded"):
            wrong.append((name, said.status, said.reason, said.message[:300], phase))
        if not all(c.isprintable() for c in said.message) or len(said.message) > 1000:
            wrong.append((name, "not one short line", said.message))
    assert not wrong, "\n".join(map(str, wrong))


SAID = """
import contextlib, io, pathlib, re, sys
import typer
from odd_shapes import SHAPES, written
from orchestrator.cli import main

main.load()
main.app = typer.main.get_command(main.app)
main.load = lambda: None
verb, root = sys.argv[1], pathlib.Path(sys.argv[2])
first, step = map(int, sys.argv[3:])
for number, name in list(enumerate(sorted(SHAPES)))[first::step]:
    space = root / str(number) / ("checkout" if verb == "plan" else ".")
    space.mkdir(parents=True)
    (space / "odd.yaml").write_bytes(written(SHAPES[name]))
    sys.argv = ["netpol-canary", verb, str(root / str(number)), *(["--sandbox"] if verb == "plan" else [])]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main()
            code = 0
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = repr(error)[:300]
    said = [line for line in err.getvalue().splitlines() if not line.startswith("netpol-canary: no workload")]
    if code not in (0, 1, 2) or "Traceback" in err.getvalue() or (code == 2 and len(said) != 1):
        print(name, code, said[:3])
# This process's own peak in kB: what getrusage gives counts the memory of whoever started it.
print(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_says_one_line_of_an_odd_shape_in_bounded_memory(tmp_path, verb):
    """Each shape by one of them: what reads and refuses is the same code."""
    tests = Path(__file__).parents[1]
    given = {**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    command = [sys.executable, "-c", SAID, verb, str(tmp_path), str(VERBS.index(verb)), str(len(VERBS))]
    end = subprocess.run(command, capture_output=True, text=True, env=given, timeout=600)
    assert end.returncode == 0, end.stderr[-2000:]
    *wrong, peak = end.stdout.splitlines()
    assert not wrong, "\n".join(wrong)
    assert int(peak) // 1024 < MOST_MEMORY
