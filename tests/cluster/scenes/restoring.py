"""How long a way back took: what the status says, held against the times that stand beside it and the API server's own."""

from datetime import datetime, timedelta

import pytest
import reading
from clearing import OWN

RESOLUTION = timedelta(seconds=1)  # of the times that the API server notes in managedFields, cut off below


def seconds_are_what_the_times_say(plane, rollout):
    """AssertionError where `restoredSeconds` is not the time from the detection to the namespace restored last.

    The API server, which keeps times of its own, has to have seen the last write of the way back in between.
    """
    status, name = rollout["status"], rollout["metadata"]["name"]
    records = [
        o for o in reading.listed(plane, reading.NAMESPACE_ROLLOUT, OWN) if o["spec"]["rollout"] == name
    ]
    back = [o for o in records if (o.get("status") or {}).get("restoredAt")]
    detected = datetime.fromisoformat(status["detectedAt"])
    ended = max(datetime.fromisoformat(o["status"]["restoredAt"]) for o in back)
    assert status["restoredSeconds"] == pytest.approx((ended - detected).total_seconds(), abs=0.01)
    written = [t for o in back for t in _written(plane, o["spec"]["namespace"])]
    assert detected - RESOLUTION < max(written) <= ended, (detected, written, ended)
    noted = max(_latest(o) for o in back)
    assert noted > ended - RESOLUTION, (ended, noted)


def _written(plane, namespace):
    """When each policy of a namespace was written last."""
    return [_latest(o) for o in reading.listed(plane, reading.POLICY, namespace)]


def _latest(obj):
    """When the API server last took a write of an object."""
    return max(datetime.fromisoformat(f["time"]) for f in obj["metadata"]["managedFields"])
