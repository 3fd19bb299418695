"""What is written fits where it is stored, however much its text grows on the way: refused in planning, or cut when it is seen later."""

import json

import pytest
from bounded_fields import SPEC, STATUS, bounds, whole
from stage import Repository, Rounds, Stage, policy

from orchestrator.context import SOURCE
from orchestrator.planning.frozen.frozen_namespace import MOST_BLAME, MOST_BYTES, namespace_spec
from orchestrator.ports import Commit
from orchestrator.rollout.order.plan import NamespacePlan, ObjectChange
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import fitted
from orchestrator.rollout.resources.resource import MODELS, Resource, dump, load, new
from orchestrator.rollout.resources.weight import MOST_STORED, lightened, weight
from orchestrator.sandbox.strict import MOST_OBJECT, refused

OWN = "netpol-canary"
META = {"name": "one", "namespace": OWN}
GROWS = ("<", '"', "\\", "\u2028", "é", "\U0001f600", "\n", "x")


@pytest.mark.parametrize(
    ("letter", "least"),
    [("x", 1), ('"', 2), ("\n", 2), ("<", 6), ("&", 6), ("\u2028", 6), ("\U0001f600", 6), ("é", 3)],
)
def test_a_text_weighs_what_it_takes_within_json(letter, least):
    assert weight(letter * 1000) == least * 1000 + (
        2 if letter.isascii() else weight(letter * 1000) - least * 1000
    )
    assert least * 1000 <= weight(letter * 1000) <= least * 1000 + 2


def test_a_manifest_within_a_text_has_its_quotes_twice():
    text = json.dumps({"a": '"' * 100})
    assert weight(text) > len(text) + 200


def fullest(kind, part, letter):
    """Every list as long as it may be and every text of it, as far as that is worth the time."""
    data = whole(kind, part)
    for bound in bounds(kind, part):
        place = data
        for step in bound.path[:-1]:
            place = place[step]
        if bound.word == "maxLength" and bound.limit >= 500 and "writes" not in bound.path:
            place[bound.path[-1]] = letter * bound.limit
    for bound in bounds(kind, part):
        if bound.word == "maxItems" and len(bound.path) == 1 and bound.path[0] not in ("writes", "truncated"):
            data[bound.path[0]] = data[bound.path[0]] * bound.limit
    return data


@pytest.mark.exhaustive
@pytest.mark.parametrize("letter", GROWS)
@pytest.mark.parametrize("kind", ["PolicyRollout", "WaveAnalysis", "PolicySource"])
def test_a_status_that_is_full_everywhere_is_cut_to_what_is_stored_and_counted(kind, letter):
    status_type = MODELS[kind][STATUS]
    status = status_type.model_validate(fitted(status_type, fullest(kind, STATUS, letter)))
    spec = dump(MODELS[kind][SPEC].model_validate(whole(kind, SPEC)))
    meta = {**META, "annotations": {"a": "n" * 200_000}}
    obj = {"apiVersion": m.API_VERSION, "kind": kind, "metadata": meta, "spec": spec}
    written = Resource(obj, None, None).with_status(status)
    assert weight(written) <= MOST_STORED and refused(json.loads(json.dumps(written))) == []
    lost = {c["field"]: c["count"] for c in written["status"]["truncated"] if c["field"] != "1"}
    if weight(dump(status)) > MOST_STORED:
        assert lost
    for field, count in lost.items():
        assert count == len(dump(status)[field]) - len(written["status"][field])


def test_what_a_wave_watches_leaves_room_for_its_evidence():
    data = fitted(m.WaveAnalysisSpec, fullest("WaveAnalysis", SPEC, "<"))
    made = new("WaveAnalysis", "one", OWN, m.WaveAnalysisSpec.model_validate(data))
    assert weight(made["spec"]) <= 700 * 1024 and "edges were left out" in " ".join(made["spec"]["notes"])
    assert refused(made) == []


def test_what_fits_is_left_as_it_is():
    data = {"truncated": [], "transitions": [{"actor": "a"}] * 50, "reason": "r" * 4000}
    assert lightened(json.loads(json.dumps(data)), 100_000) == data


def test_where_nothing_may_be_cut_it_ends():
    assert lightened({"writes": ["x" * 1000] * 10}, 10)["writes"]


@pytest.mark.parametrize("letter", GROWS)
def test_what_commits_say_never_makes_a_record_too_heavy(letter):
    def change(n):
        obj = {
            "apiVersion": "v1",
            "kind": "X",
            "metadata": {"name": f"p{n}", "namespace": "a"},
            "data": {"a": "x" * 4000},
        }
        return ObjectChange(None, obj, f"f{n}:1")

    item = NamespacePlan("a", "", tuple(change(n) for n in range(200)))
    commits = [Commit("c" * 40, ("Ann <a@example.com>",), letter * 5000, tuple(f"f{n}" for n in range(200)))]
    spec = namespace_spec("one", 0, item, commits)
    assert weight(dump(spec)) <= MOST_BYTES + MOST_BLAME and spec.changes[0].object == "X/p0"
    assert spec.changes[0].commit.startswith("c" * 10)


def heavy(letter, number, size):
    """Policies of which a letter is the greater part."""
    return [
        {
            **(p := policy(f"p{n}", {"podSelector": {}})),
            "metadata": {**p["metadata"], "annotations": {"a": letter * size}},
        }
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("letter", "number", "size"),
    [
        ("<", 2, 85_000),
        ('"', 6, 80_000),
        ("\\", 6, 80_000),
        ("é", 8, 80_000),
        ("\U0001f600", 4, 60_000),
        ("x", 8, 120_000),
    ],
)
def test_a_change_that_grows_beyond_what_is_stored_is_refused_in_planning_and_the_source_says_so(
    letter, number, size
):
    stage = Stage()
    policies = heavy(letter, number, size)
    files = {f"cart/{n}.yaml": json.dumps(p, ensure_ascii=False).encode() for n, p in enumerate(policies)}
    stage.repository.history = [("c" * 40, files)]
    rounds = Rounds(stage)
    assert rounds.go(4) == {}
    found = next(
        c for c in load(stage.cluster.get(SOURCE, "shop", OWN)).status.conditions if c.type == "Ready"
    )
    assert (found.status, found.reason) == ("False", "BadInput")
    assert "is larger than 900 KiB" in found.message and "split the change" in found.message


@pytest.mark.parametrize(("letter", "size"), [("<", 50_000), ('"', 100_000), ("é", 100_000), ("x", 200_000)])
def test_a_change_that_just_fits_is_rolled_out_whatever_it_is_made_of(letter, size):
    stage = Stage()
    (one,) = heavy(letter, 1, size)
    stage.repository = Repository(("c" * 40, {"cart/all.yaml": json.dumps(one, ensure_ascii=False).encode()}))
    assert Rounds(stage).go() == {"shop-cccccccccc": "Succeeded"}


def test_the_bounds_leave_each_other_room():
    assert MOST_BYTES + MOST_BLAME + 400 * 1024 < MOST_STORED < MOST_OBJECT
