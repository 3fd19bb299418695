"""What became of a client's calls on the node, target by target, as its own counters say."""

import itertools
import json
import re
import urllib.parse
import urllib.request

from node_scene import PORT
from patience import ENOUGH

CALLS = re.compile(r'http_client_requests_total\{outcome="(\w+)",target="([^"]+)"\} (\d+)')


def failed(address):
    """How many calls of the client at an address have failed by now, by target; asked by this machine."""
    with urllib.request.urlopen(f"http://{address}:{PORT}/metrics", timeout=ENOUGH) as answer:
        found = CALLS.findall(answer.read().decode())
    return {target: int(count) for outcome, target, count in found if outcome == "error"}


def share_failed(prometheus, namespace, patience):
    """The share of a client's calls that failed in the last minutes, of those from the begin of the first to the end of the last.

    `patience` is how many seconds a call takes to fail.
    """
    counts = _counts(prometheus, namespace)
    times = sorted(counts)
    bad = [end for start, end in itertools.pairwise(times) if _grown(counts, start, end, "error")]
    first = max(at for at in times if at <= bad[0] - patience)
    return _grown(counts, first, bad[-1], "error") / _grown(counts, first, bad[-1])


def _grown(counts, start, end, outcome=""):
    """By how much the counters grew between two scrapes, of this outcome or of all."""
    return sum(
        value - counts[start].get(key, 0) for key, value in counts[end].items() if outcome in ("", key[0])
    )


def _counts(prometheus, namespace):
    """By the time of each scrape: the counters of a client, by outcome and target."""
    query = {"query": f'http_client_requests_total{{namespace="{namespace}"}}[5m]'}
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=ENOUGH) as answer:
        series = json.load(answer)["data"]["result"]
    found = {}
    for one in series:
        key = one["metric"]["outcome"], one["metric"]["target"]
        for at, value in one["values"]:
            found.setdefault(at, {})[key] = float(value)
    return found
