"""Run cases from public reports: folders that hold a `run.sh`, right where it exits with 0.

`python tests/reports.py DIR [--only FILE]` runs every case below DIR, or those that FILE names, one a line (`#` begins a
comment), one on each core at a time. A miss is printed with the end of what it said, then `N cases, M right` as the last
line. Exit code 1 where a case went wrong, 2 where there is nothing to run.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS = 300  # for one case, also on a busy machine
SHOWN_LINES = 12
READ_BYTES = 64 * 1024


def main(arguments=None):
    """Run the cases that the arguments ask for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the cases stand, each a folder with a run.sh")
    parser.add_argument("--only", type=Path, help="a file that names the cases to run, one a line")
    asked = parser.parse_args(arguments)
    try:
        cases = chosen(asked.folder, asked.only)
    except (OSError, LookupError) as error:
        print(f"reports: {error}", file=sys.stderr)
        return 2
    right = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, (code, said) in zip(cases, pool.map(run, cases), strict=True):
            if code == 0:
                right += 1
                continue
            print(f"{case.name}: {_why(code)}")
            print("".join(f"    {line}\n" for line in said.splitlines()[-SHOWN_LINES:]), end="", flush=True)
    print(f"{len(cases)} cases, {right} right")
    return 0 if right == len(cases) else 1


def chosen(folder, only=None):
    """The cases below `folder`, in the order of their names; LookupError where there is none, or a named one is missing."""
    found = {path.parent.name: path.parent.resolve() for path in sorted(folder.glob("*/run.sh"))}
    if only is None:
        names = list(found)
    else:
        lines = (line.split("#")[0].strip() for line in only.read_text().splitlines())
        names = [line for line in lines if line]
    missing = [name for name in names if name not in found]
    if missing:
        raise LookupError(f"{folder} lacks {', '.join(missing)}, which {only} names")
    if not names:
        raise LookupError(f"no folder below {folder} holds a run.sh")
    return [found[name] for name in names]


def run(case):
    """A case's exit code (None where its time ran out) and the end of what it said; nothing of it goes on afterwards."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            ["bash", str(case / "run.sh")],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(max(0, said.seek(0, os.SEEK_END) - READ_BYTES))
        return code, said.read().decode(errors="replace")


def _why(code):
    return f"not done after {SECONDS} s" if code is None else f"exit code {code}"


if __name__ == "__main__":
    sys.exit(main())
