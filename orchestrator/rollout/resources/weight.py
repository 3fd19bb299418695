"""How much an object weighs where it is stored, and how what is written later is made to fit.

Text grows on its way: within JSON a quote takes two bytes and `<` six, since Go writes it so that it may stand in HTML
(encoding/json), and what is sent is ASCII alone. An API server takes requests of 3 MiB (MaxRequestBodyBytes), etcd stores 1.5 MiB
(--max-request-bytes); what is beyond is answered with 413 or 500, however often it is asked for.
"""

import json
import math
from typing import Any

from orchestrator.rollout.resources.bounds import COUNTS, MOST_IDENTITY, NEWEST, ROLLING, WHOLE, counted, cut

MOST_STORED = 1472 * 1024  # of one object; etcd's key and the rest of the request take some
LEAST_ROOM = 96 * 1024  # for a status, whatever else the object holds
ROUNDS = 60
MOST_AT_ONCE = 0.5  # of a list, so that the next heaviest gives as well
_SAID = (COUNTS, "notes")  # where it stands what was left out
_HTML = ("<", ">", "&")  # six bytes each as Go writes them, one here
_SEPARATORS = ("\u2028", "\u2029")  # six, three here


def weight(value: Any) -> int:
    """Bytes of a value, by whichever of the two bounds is nearer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    plain = len(text.encode("utf-8", "surrogatepass"))
    stored = plain + 5 * sum(map(text.count, _HTML)) + 3 * sum(map(text.count, _SEPARATORS))
    return stored if text.isascii() else max(stored, len(json.dumps(value)) // 2)


def room(manifest: dict[str, Any]) -> int:
    """What is left for the status of an object."""
    return max(MOST_STORED - weight({k: v for k, v in manifest.items() if k != "status"}), LEAST_ROOM)


def lightened(data: dict[str, Any], most: int) -> dict[str, Any]:
    """A spec or status of what was seen, of that weight at most: the heaviest lists lose items, then long texts their ends.

    Nothing of which a part would be another thing is touched: where that alone is too heavy, it stays so.
    """
    whole = weight(data)
    parts = {k: weight(v) for k, v in data.items()} if whole > most else {}
    for _ in range(ROUNDS):
        heavy = {k: size for k, size in parts.items() if _cuttable(k, data[k])}
        if whole <= most or not heavy:
            break
        name = max(heavy, key=heavy.__getitem__)
        _shorten(data, name, min((whole - most) / heavy[name], MOST_AT_ONCE))
        parts = {k: weight(v) if k in (name, *_SAID) else parts[k] for k, v in data.items()}
        whole = sum(parts.values()) + sum(len(k) + 4 for k in data) + 1
    return data


def _shorten(data: dict[str, Any], name: str, share: float) -> None:
    """By about that share."""
    if isinstance(data[name], str):
        data[name] = cut(data[name], max(int(len(data[name]) * (1 - share)), MOST_IDENTITY))
        return
    items, less = data[name], max(1, math.ceil(len(data[name]) * share))
    less = min(less, len(items) - 1)
    data[name] = items[less:] if name in NEWEST else items[:-less]
    counted(data, name, less + _known(data, name))


def _known(data: dict[str, Any], name: str) -> int:
    """What this list was found to have lost before; of lists that lose for good the count adds up by itself."""
    known = next((c["count"] for c in data.get(COUNTS) or [] if c["field"] == name), 0)
    return 0 if name in ROLLING else known


def _cuttable(name: str, value: Any) -> bool:
    if name in WHOLE or name in _SAID:
        return False
    return (
        len(value) > (1 if isinstance(value, list) else MOST_IDENTITY)
        if isinstance(value, list | str)
        else False
    )
