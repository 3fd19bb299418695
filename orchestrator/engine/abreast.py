"""Looks at several sources at once: at each by one thread at a time, and never with all threads at those that failed last."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

MOST_LOOKS = 4  # git and kustomize of each may take 176 MiB: with the memory limit of config/manager
MOST_FAILING = MOST_LOOKS // 2


@dataclass
class Abreast:
    """By the sources' uids. `begin` and `free` are called by one thread alone."""

    _looks: dict[str, tuple[Future[None], bool]] = field(default_factory=dict, repr=False)

    def free(self, source: str, failing: bool) -> bool:
        """Whether a look at the source may begin now; one that fails by waiting must not keep the others waiting."""
        under_way = {uid: held for uid, (look, held) in self._looks.items() if not look.done()}
        return source not in under_way and not (failing and sum(under_way.values()) >= MOST_FAILING)

    def begin(self, pool: ThreadPoolExecutor, source: str, failing: bool, look: Callable[[], None]) -> None:
        """Hand the look to the pool; it waits there until a thread is free."""
        self._looks[source] = pool.submit(look), failing

    def ended(self) -> list[BaseException]:
        """What was raised by looks that ended since the last call; they are forgotten."""
        done = {uid: look for uid, (look, _) in self._looks.items() if look.done()}
        for uid in done:
            del self._looks[uid]
        return [error for look in done.values() if (error := look.exception()) is not None]
