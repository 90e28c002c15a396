"""What is kept of a webhook's body: everything but values. Pictures are found by the digest of what went into them.

Which variables are sensitive is not known where webhooks arrive, so no value is written down there.
"""

from __future__ import annotations

import json

from pictify_sync.core.collect import DIGEST, wire_digest

# Texts in which a service may repeat a value; nothing is found by them.
_WORDS = frozenset(("error", "errors", "errormessage", "message", "reason", "detail", "details", "html"))


def without_values(body: str) -> str:
    """Give a body with a digest in place of each set of variables, and without what a service says of them.

    A body that is no JSON object is given as nothing: no picture can be found by it.
    """
    try:
        event = json.loads(body)
        return json.dumps(_kept(event), ensure_ascii=False, separators=(",", ":")) if isinstance(event, dict) else ""
    except (ValueError, RecursionError):
        return ""


def _kept(value: object) -> object:
    match value:
        case dict():
            return {name: _field(name, one) for name, one in value.items() if name.lower() not in _WORDS}
        case list():
            return [_kept(one) for one in value]
        case _:
            return value


def _field(name: str, value: object) -> object:
    if name.lower() not in ("variables", "variablesets"):
        return _kept(value)
    return {DIGEST: wire_digest(value)} if isinstance(value, dict) else None
