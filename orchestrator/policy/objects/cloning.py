"""Copies of objects of the Kubernetes API."""

import copy
import marshal
from typing import Any, TypeVar, cast

V = TypeVar("V", bound=dict[str, Any])


def clone(value: V) -> V:
    """A deep copy of what JSON knows, about ten times faster than `copy.deepcopy`; of anything else as that makes it."""
    try:
        return cast(V, marshal.loads(marshal.dumps(value)))
    except ValueError:
        return copy.deepcopy(value)
