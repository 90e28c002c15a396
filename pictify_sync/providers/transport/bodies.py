"""Bodies of answers: read within limits, as JSON, and for what they say of an error. Knows no route and no dialect."""

from __future__ import annotations

import json
import re
from time import monotonic
from typing import Any

import httpx

from pictify_sync import inflate

ANSWER_SECONDS = 90.0  # for all of an answer: one that comes byte by byte keeps every timeout above
MAX_BODY = 64 * 1024 * 1024  # bytes of an answer; the results of 10,000 items in 20 layouts have less
HALVES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")  # half a character, perhaps alone: escaped, or not


class TooLong(httpx.RequestError):
    """An answer without end. It is not asked for again."""


def receive(client: httpx.Client, request: httpx.Request, seconds: float) -> tuple[httpx.Response, bytes]:
    """Send once, and read an answer that ends in time. Raises httpx.RequestError."""
    until = monotonic() + seconds
    response = client.send(request, stream=True)
    try:
        pieces, size = [], 0
        for piece in inflate.body(response):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY:
                raise TooLong(f"an answer of more than {MAX_BODY:,} bytes")
            if monotonic() > until:
                raise httpx.ReadTimeout(f"the answer is not complete after {seconds:.0f} s")
    except ValueError as error:
        raise httpx.DecodingError(str(error)) from None
    finally:
        response.close()
    return response, b"".join(pieces)


def parse(content: bytes) -> Any:
    """The JSON of an answer, without halves of characters, which nothing could write down; None when it is none."""
    try:
        parsed = json.loads(content)
        if HALVES.search(content):
            parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return parsed


def explain(body: object) -> str:
    """The message of an error body: message, error (text or object), detail, title, errors[], in that order."""
    if not isinstance(body, dict):
        return ""
    for name in ("message", "error", "detail", "title"):
        found = body.get(name)
        if isinstance(found, dict):
            found = explain(found)
        if isinstance(found, list):
            found = "; ".join(map(str, found))
        if found:
            return str(found)
    errors = body.get("errors")
    listed = errors if isinstance(errors, list) else []
    return "; ".join((explain(one) or json.dumps(one)) if isinstance(one, dict) else str(one) for one in listed)


def code_of(body: object) -> str:
    """The code of an error body, beside the message or within `error`; "" when there is none."""
    found = body if isinstance(body, dict) else {}
    error = found.get("error")
    code = found.get("code") or (error.get("code") if isinstance(error, dict) else None)
    return str(code) if isinstance(code, (str, int)) and code else ""
