"""Whoever names a source, a rollout, a freeze or a field that is not there hears which one may be meant."""

import pytest
from pydantic import BaseModel, ValidationError
from stage import Stage

from orchestrator.errors import BadInput
from orchestrator.policy.files.model_problem import first_problem
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

SPEC = {"git": {"url": "."}, "namespaces": {"names": ["cart"]}}


@pytest.fixture
def named(cli):
    """A command line where the source `payments` and a freeze stand."""
    stage = Stage()
    stage.source("payments")
    run = cli(stage)
    assert run("freeze", "payments", "-m", "holidays").code == 0
    return run


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ["plan", "--source", "paymnets"],
            "there is no PolicySource paymnets in the namespace netpol-canary; did you mean payments?",
        ),
        (
            ["plan", "--source", "web"],
            "there is no PolicySource web in the namespace netpol-canary; `netpol-canary get sources` lists them",
        ),
        (
            ["describe", "paymnts"],
            "there is no rollout, and no source with one, called paymnts; did you mean payments?",
        ),
        (["unfreeze", "web"], "there is no RolloutFreeze web; `netpol-canary get freezes` lists them"),
    ],
)
def test_a_name_that_is_not_there(named, args, said):
    done = named(*args)
    assert (done.code, done.err) == (2, f"netpol-canary: {said}\n")


def test_names_that_may_not_be_listed_are_not_suggested(cli):
    stage = Stage()
    stage.source("payments")
    cluster = stage.cluster

    class Closed:
        def list(self, *args, **more):
            raise BadInput("not here")

        def __getattr__(self, name):
            return getattr(cluster, name)

    done = cli(stage, cluster=Closed())("plan", "--source", "paymnets")
    assert done.code == 2 and done.err.endswith("; `netpol-canary get sources` lists them\n")


@pytest.mark.parametrize(
    ("change", "field", "fix"),
    [
        ({"stratgy": {}}, "spec.stratgy", 'did you mean "strategy"?'),
        ({"secretRef": "x"}, "spec.secretRef", "did you mean spec.feedback.secretRef or spec.git.secretRef?"),
        (
            {"git": {"url": ".", "verify": {"mode": "commit"}}},
            "spec.git.verify.mode",
            "did you mean commits?",
        ),
        ({"git": {"url": 7}}, "spec.git.url", "put the value in quotes"),
        ({"git": {"url": ["."]}}, "spec.git.url", ""),
        ({"revisionHistoryLimit": [1]}, "spec.revisionHistoryLimit", ""),
    ],
)
def test_a_field_is_named_by_its_whole_path(change, field, fix):
    manifest = {"apiVersion": m.API_VERSION, "kind": "PolicySource", "metadata": {"name": "a"}}
    with pytest.raises(BadInput) as error:
        load({**manifest, "spec": {**SPEC, **change}})
    assert f"PolicySource {field}: " in error.value.message and error.value.hint.startswith(fix)


def test_a_misspelt_field_is_one_mistake_and_not_a_missing_one_too():
    class Ends(BaseModel, extra="forbid"):
        begin: int
        end: int

    with pytest.raises(ValidationError) as error:
        Ends.model_validate({"begni": 1, "end": 2})
    assert first_problem(error.value, Ends) == ("begni", "unknown field", 'did you mean "begin"?')
