"""When two URLs name the same repository."""

import re
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"(?:[^@/:]+@)?(\[[^\]]+\]|[^/:]+):(?!//)(.*)", re.DOTALL)

# Where hosts serve ssh on the port of https, for networks that let nothing else out.
_OVER_443 = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}


def identity(url: str) -> str:
    """`host/path`, without scheme, user, port and `.git`; a path of this machine stays one.

    Hosts serve one repository by https and ssh on different ports, and take its path in any case. Two
    repositories taken for one cost a look at Git, no more. Empty where the URL names nothing.
    """
    text = url.strip()
    host, path = "", text
    try:
        if "://" in text:
            parts = urlsplit(text)
            host, path = parts.hostname or "", parts.path
        elif not text.startswith(("/", ".")) and (match := _SCP.fullmatch(text)):
            host, path = match.group(1).strip("[]"), match.group(2)
    except ValueError:  # such as a bracket that is not closed
        return ""
    path = re.sub(r"/+", "/", unquote(path)).strip("/").removesuffix(".git").rstrip("/")
    if not path:
        return ""
    host = host.rstrip(".").casefold()
    return f"{_OVER_443.get(host, host)}/{path.casefold()}" if host else f"/{path}"
