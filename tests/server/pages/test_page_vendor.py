"""What is served of other projects is what the list beside it says."""

import hashlib
import re

from orchestrator.server.pages.mount import STATIC

VENDOR = STATIC / "vendor"


def test_every_file_has_its_checksum_and_licence():
    rows = re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.M)
    listed = dict(rows)
    there = {f.name for f in VENDOR.iterdir() if f.suffix in (".js", ".css")}
    assert there == set(listed)
    for name, checksum in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == checksum, name
    assert {f.stem for f in VENDOR.glob("*.LICENSE")} == {"htmx", "htmx-sse", "idiomorph"}
