"""Forty hostile repositories, each beside a good one in the same cache: the good one is read every time, within bounds."""

import multiprocessing
import re
import resource
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from beside import Beside
from patience import ENOUGH
from raw_repository import PERSON, RawRepository
from stage import ALLOW, DENY, files

from orchestrator.adapters.git.repository import GitRepository
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.rollout.layout import arrange

pytestmark = pytest.mark.exhaustive

GOOD = {"cart/a.yaml": files(DENY)["all.yaml"]}
POLICY = files(ALLOW)["all.yaml"]


def named(name):
    """A tree in which an entry has that name, at the root."""
    return lambda raw: raw.commit(raw.tree(("100644", name, raw.blob("x"))))


def folder_named(name):
    return lambda raw: raw.commit(raw.tree(("40000", name, raw.tree(("100644", "a.yaml", raw.blob(POLICY))))))


def mode(mode, name="a.yaml"):
    return lambda raw: raw.commit(raw.tree((mode, name, raw.blob(POLICY))))


def holds(files):
    return lambda raw: raw.files(files)


def kustomized(text):
    return holds({"kustomization.yaml": text, "a.yaml": POLICY})


def tree_bomb(raw):
    tree = raw.tree(*(("100644", f"{n}.yaml", raw.blob("x")) for n in range(10)))
    for _ in range(9):
        tree = raw.tree(*(("40000", str(n), tree) for n in range(10)))
    return raw.commit(tree)


def copies(number):
    ops = "".join(f"    - {{op: copy, from: /spec, path: /spec/c{n}}}\n" for n in range(number))
    return "resources: [a.yaml]\npatches:\n- target: {kind: NetworkPolicy}\n  patch: |\n" + ops


def laughs():
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


def broken(raw):
    head = raw.files({"a.yaml": POLICY})
    (raw.root / "objects" / head[:2] / head[2:]).write_bytes(b"\0" * 20)


def missing(raw):
    raw.commit(raw.tree(("100644", "a.yaml", "1" * 40)))


def to_a_blob(raw):
    raw.branch("main", raw.blob("x"))


def escapes(raw):
    evil = raw.tree(("100755", "evil", raw.blob("x")))
    kust = raw.blob("configMapGenerator:\n- name: x\n  files: [../../evil]\n")
    tree = raw.tree(("40000", "..", raw.tree(("40000", "..", evil))), ("100644", "kustomization.yaml", kust))
    raw.commit(tree)


KINDS = {
    "an entry ..": named(".."),
    "an entry .": named("."),
    "an entry without a name": named(""),
    "an entry .git": folder_named(".git"),
    "an entry .GIT": folder_named(".GIT"),
    "an entry git~1": folder_named("git~1"),
    "an entry .git with a dot": folder_named(".git."),
    "an entry .git as HFS reads it": folder_named(".g\u200dit"),
    "an entry .git as a stream": folder_named(".git::$INDEX_ALLOCATION"),
    "a name with a slash": named("cart/../a.yaml"),
    "a name of 5,000 characters": named("n" * 5000 + ".yaml"),
    "a name that is no UTF-8": named(b"\xff\xfe.yaml"),
    "a name with a line break": named("a\n::error::.yaml"),
    "two entries of one name": lambda raw: raw.commit(
        raw.tree(("100644", "a.yaml", raw.blob("x")), ("100644", "a.yaml", raw.blob("y")))
    ),
    "a way out by ..": escapes,
    "a symbolic link to /etc/passwd": mode("120000"),
    "a submodule alone": lambda raw: raw.commit(raw.tree(("160000", "cart", "1" * 40))),
    "an odd mode": mode("100000000644"),
    "a tree bomb of two kilobytes": tree_bomb,
    "folders 300 deep": holds({"/".join(["d"] * 300) + "/a.yaml": POLICY}),
    "a damaged object": broken,
    "a missing object": missing,
    "a branch that is a blob": to_a_blob,
    "a commit message of two megabytes": lambda raw: raw.files({"a.yaml": "no"}, message="x" * (2 << 20)),
    "an odd person": lambda raw: raw.files(
        {"a.yaml": "no"}, people=("\x1b]0;x\x07 <<>> 9999999999999999999 +9999", PERSON)
    ),
    "another encoding": lambda raw: raw.files({"a.yaml": "no"}, extra="encoding no-such\n"),
    "a large manifest": holds({"cart/a.yaml": b"#" * (3 << 20)}),
    "6,000 manifests": holds({f"cart/{n}.yaml": POLICY for n in range(6000)}),
    "attributes and modules": holds(
        {
            ".gitattributes": "* filter=evil export-ignore\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c id\n',
            "a.yaml": "no",
        }
    ),
    "a Git LFS pointer": holds(
        {"cart/a.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 8\n"}
    ),
    "a billion laughs": holds({"cart/a.yaml": laughs()}),
    "YAML 50,000 deep": holds({"cart/a.yaml": "[" * 50_000}),
    "YAML that runs code": holds({"cart/a.yaml": "!!python/object/apply:os.system [id]"}),
    "a remote base": kustomized("resources: [https://example.com/x]"),
    "a file of the machine": kustomized("configMapGenerator: [{name: x, files: [/etc/passwd]}]"),
    "a helm chart": kustomized("helmCharts: [{name: x, repo: https://example.com}]"),
    "a plug-in that runs a program": kustomized('transformers: ["{apiVersion: x/v1, kind: Exec}"]'),
    "a kustomization of itself": kustomized("resources: [., a.yaml]"),
    "twenty copies of copies": kustomized(copies(20)),
    "a patch of no kind": kustomized("resources: [a.yaml]\npatches: [{patch: '- {op: move'}]"),
    "a folder in a file's place": lambda raw: raw.commit(
        raw.tree(("40000", "a.yaml", raw.folder({"b.yaml": "no"})))
    ),
}


@pytest.fixture(scope="module")
def small():
    """A small process to read them in: what a process forks counts the memory of the parent as its own peak."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def read(kind, folder):
    """What was read of the hostile one, the good one's policies, and the most that a process of ours took, in MiB."""
    good, evil = RawRepository(folder / "good.git"), RawRepository(folder / "evil.git")
    head = good.files(GOOD)
    KINDS[kind](evil)
    before = set(folder.iterdir())
    seen = {}
    for name in ("evil", "good"):
        source = GitRepository(str(folder / f"{name}.git"), folder / "cache", timeout=120)
        try:
            found = source.files(source.resolve())
            source.commits("", source.resolve())
            seen[name] = arrange(found, {"cart": {}}, [("networking.k8s.io/v1", "NetworkPolicy")])
        except (BadInput, RepositoryError) as error:
            seen[name] = str(error)
    assert source.resolve() == head
    assert set(folder.iterdir()) - before == {folder / "cache"}
    good = [p.obj["metadata"]["name"] for p in seen["good"]["cart"]]
    return seen["evil"], good, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def driven(folder):
    """A controller over a source for each kind and a good one: Ready by source, rollouts' phases, faults, and MiB taken."""
    rounds, makers = Beside(), dict(enumerate(KINDS.values()))
    makers[len(makers)] = lambda raw: raw.files({"space-z/a.yaml": files(DENY)["all.yaml"]})
    names = {number: f"odd-{number:02}" for number in makers}
    for number, make in makers.items():
        path = folder / f"{names[number]}.git"
        make(RawRepository(path))
        space = f"space-{number if number < len(KINDS) else 'z'}"
        rounds.source(names[number], space, GitRepository(str(path), folder / "cache", timeout=120))
    ended = rounds.go(3)
    ready = {name: rounds.ready(name) for name in names.values()}
    mine = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
    return {n: (c.status, c.reason, c.message) for n, c in ready.items()}, ended, rounds.faults(), mine


def test_a_controller_rolls_the_good_one_out_beside_all_of_them(tmp_path, small):
    ready, ended, faults, mine = small.submit(driven, tmp_path).result(ENOUGH)
    *hostile, good = sorted(ready)
    assert ready[good][0] == "True" and [p for n, p in ended.items() if n.startswith(good)] == ["Succeeded"]
    assert not [n for n in ended if n.rpartition("-")[0] in hostile]
    for name in hostile:
        status, reason, message = ready[name]
        assert status == "False" and reason != "InternalError" and len(message) <= 1000, (name, ready[name])
    assert faults == [0, 0] and mine < 300


@pytest.mark.parametrize("kind", KINDS)
def test_the_hostile_one_is_refused_and_the_good_one_is_read(kind, tmp_path, small):
    evil, good, peak = small.submit(read, kind, tmp_path).result(ENOUGH)
    assert isinstance(evil, str) and len(evil) < 3_000, evil
    assert good == ["deny"]
    assert peak < 300
