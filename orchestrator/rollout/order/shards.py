"""How a wave is cut into shards: which namespaces one worker writes, and which one reads the metrics of.

Pure, and the same whoever asks: a worker is told the number of its shard and nothing else.
"""

from collections.abc import Sequence
from typing import TypeVar

from orchestrator.rollout.resources.resource import Rollout

T = TypeVar("T")
MOST_WRITERS = 64
# Readers go on side by side for as long as a wave is watched, and its verdict with them: more of them would need more
# pods at once than a workflow may have.
MOST_AT_ONCE = 16
MOST_READERS = MOST_AT_ONCE - 1


def writers(rollout: Rollout, wave: int) -> int:
    """How many shards a wave is written by: one for each `shardSize` namespaces, MOST_WRITERS at most."""
    return min(_needed(rollout, wave), MOST_WRITERS)


def readers(rollout: Rollout, wave: int) -> int:
    """How many shards a wave's metrics are read by."""
    return min(_needed(rollout, wave), MOST_READERS)


def _needed(rollout: Rollout, wave: int) -> int:
    spec = rollout.spec
    names = sum(len(spec.waves[number].namespaces) for number in rollout.status.together(wave))
    return max(1, -(-names // spec.strategy.shard_size))


def part(items: Sequence[T], shard: int, shards: int) -> Sequence[T]:
    """The `shard`th of `shards` runs of neighbours, whose lengths differ by one at most."""
    size, more = divmod(len(items), shards)
    start = shard * size + min(shard, more)
    return items[start : start + size + (shard < more)]
