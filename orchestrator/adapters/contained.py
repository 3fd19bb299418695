"""Run a program on hostile data: its output is a stream, and its time, memory, processes and files have limits."""

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MIB = 1024 * 1024
MOST_ERRORS = 64 * 1024
CHUNK = 256 * 1024
# Between two looks at the memory; what is taken in the meantime comes on top of the limit.
LOOK_SECONDS = 0.01
_PAGE = os.sysconf("SC_PAGE_SIZE")
# The limits are set by the program that becomes the other one: no code of ours runs between fork and exec. A lower limit
# that stands already is kept. Sizes are in KiB, but files in blocks of 512 bytes.
_LAUNCH = 'ulimit -c 0; ulimit -d "$1"; ulimit -f "$2"; shift 2; exec "$@"'
Why = Literal["time", "output", "memory", "processes"]


@dataclass(frozen=True)
class Limits:
    """What a program and its children may take.

    `resident` is what all of them together hold in memory, apart from files that they map; `data` the data of each single
    one (not its address space, of which Go programs reserve gigabytes), which holds where the resident memory grows
    faster than anybody looks. `file` bounds each file that is written. All in bytes.
    """

    seconds: float
    output: int
    resident: int = 176 * MIB
    data: int = 256 * MIB
    file: int = 2048 * MIB
    processes: int = 64


@dataclass(frozen=True)
class Done:
    """How it ended by itself: the exit code, the output (where no sink took it) and the beginning of its errors."""

    code: int
    out: bytes
    errors: str


class Ended(Exception):
    """The program was ended at one of its limits."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"ended at the limit of {why}")
        self.why = why


def run(
    command: Sequence[str],
    limits: Limits,
    environment: Mapping[str, str],
    data: bytes = b"",
    folder: Path | None = None,
    sink: Callable[[bytes], object] | None = None,
) -> Done:
    """Run it to its end. Raises Ended at a limit, OSError where it does not run, and whatever `sink` raises.

    The whole process group is gone afterwards in every case.
    """
    if (program := shutil.which(command[0], path=environment.get("PATH"))) is None:
        raise FileNotFoundError(2, "No such file or directory", command[0])
    sizes = [str(limits.data // 1024), str(limits.file // 512)]
    process = subprocess.Popen(
        ["/bin/sh", "-c", _LAUNCH, "sh", *sizes, program, *command[1:]],
        stdin=subprocess.PIPE if data else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    kept = bytearray()
    watched = _Watched(process, limits, data, sink or kept.extend)
    try:
        watched.attend()
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    return Done(watched.code, bytes(kept), watched.errors.decode(errors="replace"))


class _Watched:
    """One running program: feeds it, takes what it says, looks at what it holds."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        limits: Limits,
        data: bytes,
        sink: Callable[[bytes], object],
    ) -> None:
        self._process, self._limits, self._sink = process, limits, sink
        self._left, self._taken = memoryview(data), 0
        self._deadline = time.monotonic() + limits.seconds
        self._looked = time.monotonic()
        self.errors, self.code = bytearray(), 0

    def attend(self) -> None:
        """Until it has ended and said everything. Raises Ended."""
        process = self._process
        assert process.stdout is not None and process.stderr is not None
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ, self._output)
            ready.register(process.stderr, selectors.EVENT_READ, self._error)
            if process.stdin is not None:
                os.set_blocking(process.stdin.fileno(), False)
                ready.register(process.stdin, selectors.EVENT_WRITE, self._feed)
            while ready.get_map():
                for key, _ in ready.select(LOOK_SECONDS):
                    if not key.data(key.fd):
                        ready.unregister(key.fileobj)
                self._look()
        while True:
            try:
                self.code = process.wait(LOOK_SECONDS)
                return
            except subprocess.TimeoutExpired:
                self._look()

    def _feed(self, fd: int) -> bool:
        try:
            self._left = self._left[os.write(fd, self._left[:CHUNK]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            self._left = self._left[:0]
        if not self._left and self._process.stdin is not None:
            self._process.stdin.close()
            return False
        return True

    def _output(self, fd: int) -> bool:
        part = os.read(fd, CHUNK)
        self._taken += len(part)
        if self._taken > self._limits.output:
            raise Ended("output")
        self._sink(part)
        return bool(part)

    def _error(self, fd: int) -> bool:
        part = os.read(fd, CHUNK)
        self.errors += part[: max(0, MOST_ERRORS - len(self.errors))]
        return bool(part)

    def _look(self) -> None:
        now = time.monotonic()
        if now > self._deadline:
            raise Ended("time")
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        resident, processes = _held(self._process.pid)
        if resident > self._limits.resident:
            raise Ended("memory")
        if processes > self._limits.processes:
            raise Ended("processes")


def _held(pid: int) -> tuple[int, int]:
    """Resident bytes and number of a process and all its children; nothing where the system does not say."""
    waiting, seen, total = [pid], set[int](), 0
    while waiting and len(seen) < 1000:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        with suppress(OSError, ValueError, IndexError):
            _, resident, mapped, *_ = Path(f"/proc/{one}/statm").read_text().split()
            total += max(0, int(resident) - int(mapped)) * _PAGE
            for task in os.listdir(f"/proc/{one}/task"):
                children = Path(f"/proc/{one}/task/{task}/children").read_text()
                waiting += [int(child) for child in children.split()]
    return total, len(seen)
