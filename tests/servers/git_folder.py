"""A folder under git in which somebody works."""

import os
import subprocess
from functools import partial


def git(folder, *words, name="Ann", **environment):
    """What git prints there; it knows that person, and no settings of the machine."""
    alone = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **environment}
    person = ("-c", f"user.name={name}", "-c", f"user.email={name.lower()}@example.com")
    command = ["git", "-C", str(folder), *person, *words]
    return subprocess.run(command, env=alone, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder, subject="change", **more):
    """All that stands there; the commit's id."""
    git(folder, "add", "-A", **more)
    git(folder, "commit", "-q", "--allow-empty", "-m", subject, **more)
    return git(folder, "rev-parse", "HEAD")


def write(folder, files):
    """Texts by path below it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def begun(folder):
    """A new repository there, whose branch is main; gives what runs git in it."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    return partial(git, folder)
