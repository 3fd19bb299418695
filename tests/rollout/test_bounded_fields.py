"""Every bounded field of every resource: beyond its bound it is refused in planning or when it is read, or cut where it is written."""

import json
from datetime import datetime

import pytest
from bounded_fields import NOW, SPEC, STATUS, at, beyond, bounds, whole
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.errors import BadInput
from orchestrator.ports import Commit
from orchestrator.rollout.polling import MOST_REQUEST, REQUESTED_AT, said, unreadable
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import (
    MOST_IDENTITY,
    MOST_PROSE,
    ROLLING,
    WHOLE,
    built,
    cut,
    fitted,
    marked,
    planned,
)
from orchestrator.rollout.resources.resource import MODELS, Resource, load, new
from orchestrator.sandbox.strict import refused
from orchestrator.writing.walk import MOST_BYTES, encoded

META = {"name": "one", "namespace": "netpol-canary"}
WRITTEN = [(kind, b) for kind in MODELS for b in bounds(kind, STATUS)]
READ = [
    (kind, b) for kind in ("PolicySource", "RolloutApproval", "RolloutFreeze") for b in bounds(kind, SPEC)
]
SEEN = bounds("WaveAnalysis", SPEC)
FROZEN = [(kind, b) for kind in ("PolicyRollout", "NamespaceRollout") for b in bounds(kind, SPEC)]
UNCUT = {"writes"}
CUTTABLE = [(k, b) for k, b in WRITTEN if not UNCUT & set(b.path)]
over = st.integers(1, 3000)
letters = st.sampled_from(["x", "é", "\U0001f600", '"', "\\", "<", "\n"])


def written(kind, status):
    """The whole object with a status, as a step writes it."""
    obj = {"apiVersion": m.API_VERSION, "kind": kind, "metadata": META, "spec": whole(kind, SPEC)}
    held = Resource(obj, None, None)
    return held.with_status(_loose(MODELS[kind][1], status))


def _loose(model, data):
    """A model that was never validated, as `model_copy(update=...)` makes it."""
    values = {}
    for name, field in model.model_fields.items():
        value = data.get(field.alias or name)
        inner = _inner(field.annotation)
        if inner is not None and isinstance(value, dict):
            value = _loose(inner, value)
        elif inner is not None and isinstance(value, list):
            value = [_loose(inner, v) if isinstance(v, dict) else v for v in value]
        values[name] = _stamped(value)
    return model.model_construct(**values)


def _stamped(value):
    if isinstance(value, list):
        return [_stamped(v) for v in value]
    return datetime.fromisoformat(value) if value == NOW else value


def _inner(annotation):
    found = [annotation, *getattr(annotation, "__args__", ())]
    return next((a for a in found if isinstance(a, type) and issubclass(a, m.Model)), None)


def misfits(obj):
    """What an API server with our CRDs says of it."""
    return refused(json.loads(json.dumps(obj)))


def test_there_are_bounds_to_be_kept():
    assert len(WRITTEN) > 60 and len(READ) > 80 and len(SEEN) > 15 and len(FROZEN) > 100


def test_nothing_that_is_written_later_is_beyond_help_but_the_walk_which_is_bounded_where_it_is_made():
    stuck = {"writes", *WHOLE} & {step for _, b in WRITTEN for step in b.path}
    assert stuck == UNCUT
    assert all(b.word != "pattern" for _, b in WRITTEN) and all(b.word != "pattern" for b in SEEN)
    most = [b.limit for _, b in CUTTABLE if b.word == "maxLength"]
    assert max(most) <= MOST_PROSE


@pytest.mark.parametrize(("kind", "bound"), CUTTABLE, ids=str)
def test_a_status_beyond_any_bound_is_cut_and_written(kind, bound):
    obj = written(kind, beyond(bound, whole(kind, STATUS)))
    assert misfits(obj) == []
    if bound.word == "maxItems":
        assert len(at(obj["status"], bound.path)) == bound.limit


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(sorted(MODELS)))
def test_a_status_beyond_several_bounds_at_once_is_cut_and_written(data, kind):
    mine = [b for k, b in CUTTABLE if k == kind]
    assume(mine)
    status = whole(kind, STATUS)
    for bound in data.draw(st.lists(st.sampled_from(mine), min_size=1, max_size=4)):
        status = beyond(bound, status, data.draw(over), data.draw(letters))
    assert misfits(written(kind, status)) == []


LISTS = [(k, b) for k, b in CUTTABLE if b.word == "maxItems" and b.path != ("truncated",)]


@pytest.mark.parametrize(("kind", "bound"), [(k, b) for k, b in LISTS if len(b.path) == 1], ids=str)
def test_what_a_list_of_a_status_leaves_out_is_counted(kind, bound):
    (name,) = bound.path
    status = {**whole(kind, STATUS), "truncated": []}
    once = written(kind, beyond(bound, status, 7))["status"]
    assert {"field": name, "count": 7} in once["truncated"]
    again = written(kind, beyond(bound, once, 5))["status"]
    assert {"field": name, "count": 12 if name in ROLLING else 5} in again["truncated"]
    emptied = written(kind, {**again, name: []})["status"]
    assert all(c["field"] != name for c in emptied["truncated"])


def test_of_what_happens_the_newest_is_kept_and_of_what_is_found_the_first():
    moved = [
        {"time": "2026-01-01T00:00:00Z", "actor": str(n), "phase": "Paused", "reason": "r"}
        for n in range(250)
    ]
    status = fitted(m.PolicyRolloutStatus, {"transitions": moved, "truncated": []})
    assert (status["transitions"][0]["actor"], status["transitions"][-1]["actor"]) == ("50", "249")
    flows = [{"source": f"a/{n}", "destination": "b/c"} for n in range(250)]
    assert fitted(m.WaveAnalysisStatus, {"flows": flows, "truncated": []})["flows"][-1]["source"] == "a/199"


@pytest.mark.parametrize("bound", [b for b in SEEN if b.path not in (("rollout",), ("wave",))], ids=str)
def test_what_is_seen_when_a_wave_begins_is_cut_and_written(bound):
    data = beyond(bound, whole("WaveAnalysis", SPEC))
    names = {f.alias or n: n for n, f in m.WaveAnalysisSpec.model_fields.items()}
    spec = built(m.WaveAnalysisSpec, **{names[k]: v for k, v in data.items()})
    assert misfits(new("WaveAnalysis", "one", "netpol-canary", spec)) == []
    if bound.word == "maxItems" and bound.path in (("edges",), ("probes",), ("watched",)):
        assert spec.notes[0] == f"1 more {bound.path[0]} were left out"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SEEN), over, letters)
def test_what_is_seen_is_cut_whatever_it_is_made_of(bound, more, letter):
    data = fitted(m.WaveAnalysisSpec, beyond(bound, whole("WaveAnalysis", SPEC), more, letter))
    m.WaveAnalysisSpec.model_validate(data)


@pytest.mark.parametrize(("kind", "bound"), READ, ids=str)
def test_what_people_write_beyond_a_bound_is_bad_input_that_names_the_field(kind, bound):
    obj = {"apiVersion": m.API_VERSION, "kind": kind, "metadata": META, "spec": whole(kind, SPEC)}
    load(obj)
    with pytest.raises(BadInput) as error:
        load({**obj, "spec": beyond(bound, obj["spec"])})
    steps = [s for s in bound.path if s != 0]
    assert steps[-1] in str(error.value) or steps[0] in str(error.value)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("kind", "bound"), FROZEN, ids=str)
def test_what_is_frozen_beyond_a_bound_is_refused_in_planning_with_the_reason(kind, bound):
    data = beyond(bound, whole(kind, SPEC))
    with pytest.raises(BadInput) as error:
        planned(lambda: MODELS[kind][SPEC].model_validate(data), "here")
    assert "could not be kept" in str(error.value) and str(bound.path[0]) in str(error.value)


def test_half_of_what_no_part_can_stand_for_is_never_written():
    with pytest.raises(ValueError, match="writes"):
        fitted(m.NamespaceRolloutStatus, {"writes": ["{}"] * (m.MOST_WRITES + 1)})


@pytest.mark.parametrize("number", [1, 60, 1600])
@pytest.mark.parametrize("letter", ["x", '"', "<", "\u2028", "é"])
def test_a_walk_that_is_kept_keeps_to_its_bounds(number, letter):
    def obj(n):
        meta = {"name": f"p{n}", "namespace": "a", "annotations": {"a": letter * 200}}
        return {"apiVersion": "v1", "kind": "X", "metadata": meta}

    states = [{}, *({("v1", "X", f"p{n}"): obj(n)} for n in range(number))]
    texts = encoded(states, {}, {})
    assert len(texts) <= m.MOST_WRITES and sum(map(len, texts)) <= MOST_BYTES
    assert misfits(written("NamespaceRollout", {**whole("NamespaceRollout", STATUS), "writes": texts})) == []


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400), st.text(max_size=400), st.integers(14, 60))
def test_names_that_are_cut_stay_different(one, other, length):
    assert len(marked(one, length)) <= length and len(cut(one, length)) <= length
    assert (marked(one, length) == marked(other, length)) == (one == other)


def test_identities_are_shorter_than_prose():
    assert MOST_IDENTITY < MOST_PROSE


def source(annotation):
    meta = {**META, "annotations": {REQUESTED_AT: annotation}}
    spec = {"git": {"url": "/r"}, "namespaces": {"names": ["a"]}}
    return load({"apiVersion": m.API_VERSION, "kind": "PolicySource", "metadata": meta, "spec": spec})


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_a_request_for_a_look_is_bounded_and_what_is_none_is_said(text):
    found = source(text)
    assert len(said(found)[1]) <= MOST_REQUEST
    told = unreadable(found)
    assert bool(told) == (text != "" and said(found)[1] != text) and len(told) < 500


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3000), st.text(max_size=3000)), max_size=4), letters, over)
def test_whatever_commits_say_is_kept_within_the_bounds_of_a_rollout(said, letter, number):
    from orchestrator.planning.frozen.frozen_namespace import namespace_spec
    from orchestrator.rollout.order.plan import NamespacePlan, ObjectChange

    commits = [Commit("c" * 40, (f"{who} <a@example.com>",), what, (letter * number,)) for who, what in said]
    obj = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n" * 300, "namespace": "a"}, "spec": {}}
    item = NamespacePlan("a", "", (ObjectChange(None, obj, f"{letter * number}:1"),))
    spec = namespace_spec("one", 0, item, commits)
    made = new("NamespaceRollout", "one", "netpol-canary", spec)
    assert [w for w in misfits(made) if "spec" in w] == []
