"""Messages without what was given in confidence, as it is or as a server may write it back."""

import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

LEAST = 4  # characters; less would blot out half of every message


def redacted(text: str, secrets: Iterable[str]) -> str:
    """One line; of `Bearer abc` both the whole and `abc` are left out."""
    values = {v for secret in secrets for v in (secret, secret.partition(" ")[2])}
    forms = {
        form
        for v in values
        for form in (v, quote(v, safe=""), quote_plus(v), json.dumps(v)[1:-1], repr(v)[1:-1])
        if len(form) >= LEAST
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return " ".join(text.split())
