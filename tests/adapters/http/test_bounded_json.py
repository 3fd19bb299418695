"""JSON is read as deep and as full as it may be, whatever its strings hold."""

import pytest

from orchestrator.adapters.http import bounded_json
from orchestrator.adapters.http.bounded_json import MOST_LEVELS, parsed


def nested(levels):
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "body",
    [
        nested(MOST_LEVELS),
        b'{"a": "%s"}' % (b"[" * 500),
        rb'["\"[[[\\", "\\\"", "{"]',
        b"\xef\xbb\xbf[1, null]",
    ],
)
def test_what_is_within_the_limits_is_read(body):
    assert parsed(body) is not None


@pytest.mark.parametrize(
    "body",
    [nested(MOST_LEVELS + 1), b'["a"' + nested(MOST_LEVELS), b'"' + b'\\"' * 100_000, b"\\", b"", b"1 2"],
)
def test_what_is_not_is_refused(body):
    with pytest.raises(ValueError, match="not JSON"):
        parsed(body)


def test_values_are_counted_and_commas_in_strings_are_none(monkeypatch):
    monkeypatch.setattr(bounded_json, "MOST_VALUES", 3)
    assert parsed(b'["a,b,c,d,e", 2, 3]')
    with pytest.raises(ValueError, match="not JSON of at most 100 levels and 3 values"):
        parsed(b"[1, [2], [3], 4]")
