"""Several readers say of a wave what one would have said; the verdict comes from all of them, at the same look."""

import math

import pytest

from orchestrator.analysis.sequential.alarm import Evidence, share_of, threshold, together, verdict_of


def evidence(*path):
    return Evidence(path[-1], max(path), tuple(path), 0, 0, 0, True, "")


STREAMS = {
    ("errors", "cart"): evidence(0.1, 0.4),
    ("errors", "pay"): evidence(0.0, 2.5),
    ("volume", "cart"): evidence(-0.3, -1.0),
    ("volume", "pay"): evidence(0.2, 1.5),
    ("errors", "web"): evidence(0.0, -0.2),
}


def split(streams, shards):
    items = list(streams.items())
    return [dict(items[k::shards]) for k in range(shards)]


@pytest.mark.parametrize("shards", [1, 2, 3, 5, 7])
def test_shares_together_are_the_streams_together(shards):
    whole = verdict_of({k: evidence(e.log_e) for k, e in STREAMS.items()}, 0.05, 2)
    found = together([share_of(s) for s in split(STREAMS, shards)], 0.05, 2)
    assert (found.alarm, found.worst) == (whole.alarm, whole.worst)
    assert math.isclose(found.log_e, whole.log_e, rel_tol=1e-9)


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_the_alarm_is_raised_at_the_same_evidence_however_many_read(shards):
    limit = threshold(0.05, 2) + math.log(len(STREAMS))
    for size, alarm in ((limit + 0.5, True), (limit - 1.5, False)):
        streams = {**STREAMS, ("errors", "pay"): evidence(0.0, size)}
        found = together([share_of(s) for s in split(streams, shards)], 0.05, 2)
        assert found.alarm is alarm
        assert found.worst == ("errors", "pay")


def test_nobody_with_a_past_raises_no_alarm():
    assert not together([share_of({}), share_of({})], 0.05, 1).alarm
