"""Where to go after signing in: a page of ours and nothing else."""

import re
from urllib.parse import urlsplit

MOST = 1000
# What a browser reads as another host or throws away before it reads: `//host`, `/\\host`, control characters.
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def destination(wanted: str) -> str:
    """`wanted` where it is a path on this server, else the first page."""
    if len(wanted) > MOST or not _PATH.fullmatch(wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    ours = not parts.scheme and not parts.netloc
    way_in = parts.path == "/signout" or parts.path.rstrip("/").startswith("/signin")
    return wanted if ours and not way_in else "/"
