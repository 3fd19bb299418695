"""A bare Git repository that is written object by object, so that it may hold what git itself would not make."""

import hashlib
import subprocess
import zlib

PERSON = "Ann <ann@example.com> 1700000000 +0000"


class RawRepository:
    def __init__(self, root):
        self.root = root
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(root)], check=True)

    def object(self, kind, content):
        full = f"{kind} {len(content)}\0".encode() + content
        name = hashlib.sha1(full).hexdigest()
        path = self.root / "objects" / name[:2] / name[2:]
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(zlib.compress(full, 1))
        return name

    def blob(self, content):
        return self.object("blob", content if isinstance(content, bytes) else content.encode())

    def tree(self, *entries):
        """Entries are (mode, name, id); they are written as given."""
        parts = []
        for mode, name, one in entries:
            raw = name if isinstance(name, bytes) else name.encode()
            parts.append(mode.encode() + b" " + raw + b"\0" + bytes.fromhex(one))
        return self.object("tree", b"".join(parts))

    def commit(self, tree, *parents, people=(PERSON, PERSON), message="change", branch="main", extra=""):
        lines = [f"tree {tree}", *(f"parent {p}" for p in parents)]
        lines += [f"author {people[0]}", f"committer {people[1]}"]
        name = self.object("commit", ("\n".join(lines) + f"\n{extra}\n{message}\n").encode())
        self.branch(branch, name)
        return name

    def branch(self, branch, name):
        ref = self.root / "refs/heads" / branch
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(name + "\n")

    def files(self, files, **more):
        """A commit of these files, by path; the name of its tree is what it gives back beside it."""
        return self.commit(self.folder(files), **more)

    def folder(self, files):
        here, below = [], {}
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = content
            else:
                here.append(("100644", name, self.blob(content)))
        here += [("40000", name, self.folder(inner)) for name, inner in below.items()]
        return self.tree(*sorted(here, key=lambda e: e[1] + ("/" if e[0] == "40000" else "")))
