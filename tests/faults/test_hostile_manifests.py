"""Hundreds of odd shapes, each in a source of its own beside a good one: that is rolled out every time, the odd is said where it stands."""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from beside import Beside
from odd_shapes import SHAPES, written
from on_path import PYTHONPATH
from sampling import sampled
from stage import ALLOW, DENY, OWN, Repository, files

from orchestrator.context import NAMESPACE_ROLLOUT, SOURCE
from orchestrator.rollout.resources.bounds import LINE
from orchestrator.rollout.resources.conditions import whole
from orchestrator.rollout.resources.resource import load

NAMES = sorted(SHAPES)
FAMILY = 6  # so many of one head come from one row of the table


def head(name):
    """What is odd in a shape, without what stands there instead."""
    return re.split(r" (?:is called|is|are|holds) ", name)[0]


HEADS = Counter(map(head, NAMES))
DRAWN = sampled(NAMES, lambda name: head(name) if HEADS[head(name)] >= FAMILY else name, each=3)
AT_ONCE = 50
BLOCKS = [DRAWN[n : n + AT_ONCE] for n in range(0, len(DRAWN), AT_ONCE)]
OTHERS = ["lint", "reach", "test"]
VERBS = [*OTHERS, "plan"]
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("names", BLOCKS, ids=lambda names: names[0][:40])
def test_the_good_source_is_rolled_out_beside_odd_ones(names):
    """Beside every shape; sampled, beside three of each row of the table and all that stand alone."""
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
names = sorted(SHAPES)
for number in map(int, sys.argv[3:]):
    name = names[number]
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("verb", VERBS)
def test_every_command_says_one_line_of_an_odd_shape_in_bounded_memory(tmp_path, verb):
    """Every shape by one of the others, and by `plan`, which does all that is done before anything is written; that is sampled as above."""
    given = {**os.environ, "PYTHONPATH": PYTHONPATH}
    names = DRAWN if verb == "plan" else NAMES[OTHERS.index(verb) :: len(OTHERS)]
    command = [sys.executable, "-c", SAID, verb, str(tmp_path), *(str(NAMES.index(n)) for n in names)]
    end = subprocess.run(command, capture_output=True, text=True, env=given, timeout=600)
    assert end.returncode == 0, end.stderr[-2000:]
    *wrong, peak = end.stdout.splitlines()
    assert not wrong, "\n".join(wrong)
    assert int(peak) // 1024 < MOST_MEMORY


DEEP = "/".join(["d" * 200] * 150)
PLACES = {
    "a folder of 254 characters": "f" * 254,
    "a folder of 5,000 characters": "f" * 5000,
    "a namespace that is a character too long": "n" * 64,
    "a folder of 5,000 characters below a namespace": f"odd/{'f' * 5000}",
    "150 folders of 200 characters": f"odd/{DEEP}",
    "150 folders at the root": DEEP,
    "a folder of 1,300 characters that take two bytes": "\u00e9" * 1300,
    "a folder with a line break": "f\n" * 300,
    "a folder that is all of a terminal's": "\x1b[31m" * 400,
}
LONG = [(folder, file) for folder in PLACES.values() for file in ("odd.yaml", "y" * 3000 + ".yaml")]


def test_the_good_source_is_rolled_out_beside_folders_and_files_of_long_names():
    rounds = Beside()
    for number, (folder, file) in enumerate(LONG):
        given = {f"{folder}/{file}": files(DENY)["all.yaml"], "odd/deny.yaml": files(ALLOW)["all.yaml"]}
        spaced = {path.replace("odd/", f"odd-{number}/", 1): text for path, text in given.items()}
        rounds.source(f"a-odd-{number}", f"odd-{number}", Repository(("c" * 40, spaced)))
    ended = rounds.go(3)
    assert ended["shop-cccccccccc"] == "Succeeded" and rounds.faults() == [0, 0]
    for number, place in enumerate(LONG):
        said, phase = rounds.ready(f"a-odd-{number}"), ended.get(f"a-odd-{number}-cccccccccc")
        assert (said.status, phase) in (("False", None), ("True", "Succeeded")), (place, said)
        assert said.reason in ("BadInput", "Polled"), (place, said)
        status = load(rounds.stage.cluster.get(SOURCE, f"a-odd-{number}", OWN)).status
        text = whole(status.conditions, status.details, "Ready")
        assert phase or any(w in text for w in ("no namespace", "no name", "not", "longer", "folder")), (
            place,
            said,
        )
        assert len(said.message) <= LINE and all(c.isprintable() for c in said.message), (place, said)


def test_a_file_with_a_long_name_is_kept_with_the_end_of_its_name():
    rounds = Beside()
    path = f"odd/{'f' * 3000}/last.yaml"
    rounds.source("a-odd", "odd", Repository(("c" * 40, {path: files(DENY)["all.yaml"]})))
    ended = rounds.go(3)
    if "a-odd-cccccccccc" in ended:
        (record,) = [
            r for r in rounds.stage.cluster.list(NAMESPACE_ROLLOUT, OWN) if r["spec"]["namespace"] == "odd"
        ]
        (change,) = record["spec"]["changes"]
        assert change["file"].endswith("/last.yaml:1") and change["file"].startswith("\u2026f")
    else:
        assert "last.yaml" in rounds.ready("a-odd").message
