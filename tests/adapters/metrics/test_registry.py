"""Types of provider are found by name, ours and other packages'; a broken one is one clear line."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from orchestrator.adapters.metrics import metric_sources
from orchestrator.adapters.metrics.metric_sources import KEPT, Settings, Sources, build, types
from orchestrator.adapters.metrics.prometheus import PrometheusSource
from orchestrator.errors import BadInput, MetricError
from orchestrator.ports import Sample
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster

CLOCK = SimulatedClock()


class Fixed:
    """A source as another package might bring one."""

    def __init__(self, settings):
        self.answer = settings.secret.get("answer", b"good").decode()

    def query(self, expression, at):
        if self.answer == "boom":
            raise RuntimeError("line one\nline two")
        return [Sample({"namespace": "pay"}, 1.0, at)] if self.answer == "good" else ["what"]

    def query_range(self, expression, start, end, step):
        raise MetricError("no history")


def broken(settings):
    raise KeyError("token")


def nothing(settings):
    return object()


@pytest.fixture
def installed(monkeypatch):
    """`installed(name=value)`: entry points as if packages had brought them."""

    def run(*pairs):
        points = [EntryPoint(n, v, metric_sources.GROUP) for n, v in pairs]
        monkeypatch.setattr(
            metric_sources,
            "entry_points",
            lambda group, name=None: [p for p in points if group == p.group and name in (None, p.name)],
        )

    return run


def made(kind, secret=None):
    spec = m.Provider(name="mine", type=kind, url="http://x")
    return build(Settings(spec, secret or {}, MemoryCluster(), CLOCK))


def here(name):
    return f"{__name__}:{name}"


def test_a_type_that_another_package_brings_answers(installed):
    installed(("fixed", here("Fixed")))
    assert types() == [*metric_sources.BUILT_IN, "fixed"]
    (sample,) = made("fixed").query("q", CLOCK.now())
    assert sample.value == 1.0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (here("broken"), "does not work: KeyError: 'token'"),
        (here("absent"), "does not work: AttributeError"),
        ("no_such_module:x", "does not work: ModuleNotFoundError"),
        (here("nothing"), "gave no metric source"),
    ],
)
def test_a_broken_package_is_one_line_that_names_it(installed, value, said):
    installed(("bad", value))
    with pytest.raises(BadInput) as error:
        made("bad")
    assert said in str(error.value) and "the provider mine: its type bad of the package" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_a_package_raises_or_returns_amiss_is_a_metric_error(installed):
    installed(("fixed", here("Fixed")))
    with pytest.raises(MetricError, match="failed: RuntimeError: line one line two"):
        made("fixed", {"answer": b"boom"}).query("q", CLOCK.now())
    with pytest.raises(MetricError, match="something that is no sample"):
        made("fixed", {"answer": b"odd"}).query("q", CLOCK.now())
    with pytest.raises(MetricError, match=r"^no history$"):
        made("fixed").query_range("q", CLOCK.now(), CLOCK.now(), 1)


def test_an_unknown_type_names_those_there_are_and_ours_cannot_be_replaced(installed):
    installed(("prometheus", here("broken")), ("twice", here("Fixed")), ("twice", here("nothing")))
    with pytest.raises(BadInput, match="its type no-such-type is not known; take one of prometheus, http"):
        made("no-such-type")
    with pytest.raises(BadInput, match="2 packages bring its type twice"):
        made("twice")
    assert isinstance(made("prometheus"), PrometheusSource)


def test_a_source_is_kept_for_a_minute_so_that_a_changed_secret_is_read_again():
    clock, reads = SimulatedClock(), []

    def read(name, where):
        reads.append((name, where))
        return {"bearer": b"t%d" % len(reads)}

    plan = m.Analysis(prometheus=m.Prometheus(url="http://p", secret_ref="s"))
    sources = Sources(MemoryCluster(), clock, read)
    first = sources.get(plan, "prometheus")
    assert sources.get(plan, "prometheus") is first
    assert reads == [("s", "the provider prometheus, secretRef")]
    clock.sleep(KEPT.total_seconds())
    again = sources.get(plan, "prometheus")
    assert again.client.credentials == {"Authorization": "Bearer t2"}


def test_a_name_that_the_strategy_does_not_set_up_has_no_source():
    sources = Sources(MemoryCluster(), CLOCK, lambda name, where: {})
    assert sources.get(m.Analysis(), "prometheus") is None
    assert sources.get(m.Analysis(), "kubernetes") is not None


def test_every_module_with_a_source_has_a_type_and_every_type_its_place_in_the_guide():
    folder = Path(metric_sources.__file__).parent
    sources = {
        f.stem
        for f in folder.glob("*.py")
        if re.search(r"^def build\(settings: Settings\)", f.read_text(), re.M)
    }
    assert sources - {"metric_sources"} == set(metric_sources.BUILT_IN.values()), "name it in BUILT_IN"
    guide = (Path(__file__).parents[3] / "docs" / "analysis.md").read_text()
    assert not [t for t in metric_sources.BUILT_IN if f"`{t}`" not in guide], (
        "say in docs/analysis.md what it reads"
    )
