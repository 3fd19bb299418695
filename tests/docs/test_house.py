"""The house as CONTRIBUTING.md says that it is: rooms that fit on a screen, names that mean one thing, no circles, its drawing."""

import re
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from reference import house

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
MOST = 15
# The same port, on real parts and in memory: one name for one thing. A file of commands bears the name of what it declares.
DOUBLES = {"clock", "cluster"}
COMMANDS = ROOT / "orchestrator" / "cli" / "commands"


def folders():
    """Each folder of sources with the modules that stand in it."""
    for top in ("orchestrator", "workflows", "tests"):
        for folder in sorted({p.parent for p in (ROOT / top).rglob("*.py")}):
            yield folder, [p for p in folder.glob("*.py") if p.name != "__init__.py"]


def test_no_folder_is_larger_than_a_screen_but_where_the_guide_says_why():
    large = {str(f.relative_to(ROOT)) for f, modules in folders() if len(modules) > MOST}
    assert large == set(re.findall(r"^- `([\w/]+)` is flat", GUIDE, flags=re.M))


def test_a_name_of_a_module_means_one_thing():
    modules = [m for f, found in folders() if f.relative_to(ROOT).parts[0] != "tests" for m in found]
    names = Counter(m.stem for m in modules if m.parent != COMMANDS)
    assert {name for name, count in names.items() if count > 1} == DOUBLES


def test_no_import_goes_round_in_a_circle():
    graph = grimp.build_graph(*house.PACKAGES)
    below = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    TopologicalSorter(below).prepare()  # raises CycleError, which names one


def test_the_drawing_is_the_house_s():
    assert (ROOT / house.FILE).read_text() == house.drawing(), "run `make reference`"
    assert house.FILE in GUIDE


def test_every_room_says_what_it_is_for():
    rooms = {f / "__init__.py" for f, _ in folders() if f.relative_to(ROOT).parts[0] != "tests"}
    assert not [r for r in rooms if not r.exists() or not r.read_text().startswith('"""')]


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`((?:orchestrator|workflows|tests|docs|config)/[\w./-]+)`", GUIDE)))
)
def test_what_the_guide_names_is_there(name):
    assert (ROOT / name).exists() or any(x in name for x in ("NAME", "…"))
