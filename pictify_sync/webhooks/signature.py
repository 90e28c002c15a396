"""Whether a webhook was signed with a secret of ours. Pure: bytes and a time in, a judgement out.

Pictify, Webhooks, Verifying signatures: `t=<unix seconds>,v1=<hex>`, HMAC-SHA256 of `<t>.<raw body>`. Several `t` or
`v1` are refused, since another reader might take another of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hmac import compare_digest, digest

from pictify_sync.errors import PictifySyncError

TOLERANCE = 300.0  # seconds (documented)
OLDEST = 27 * 3600.0  # seconds: the last retry comes after 26.6 h, and whether it is signed anew is not said
TIME = re.compile(r"[0-9]{1,12}")
HASH = re.compile(r"[0-9a-f]{64}")


class BadSignature(PictifySyncError):
    """The webhook is not from whoever knows the secret, or from too long ago."""


def is_late(header: str, body: bytes, secrets: Iterable[str], now: float) -> bool:
    """Verify; tells whether it was signed longer ago than the documented tolerance. Raises BadSignature."""
    at, signature = _parts(header)
    message = at.encode() + b"." + body
    # All secrets are tried, so that the time taken tells nothing.
    good = [compare_digest(digest(one.encode(), message, "sha256"), signature) for one in secrets if one]
    if not any(good):
        raise BadSignature("the signature is wrong")
    age = now - int(at)
    if age < -TOLERANCE or age > OLDEST:
        raise BadSignature("the signature's time is too far from now", hint="check the clock of this machine")
    return age > TOLERANCE


def _parts(header: str) -> tuple[str, bytes]:
    """Time and signature of the header; parts of other names are for other versions."""
    found: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip(" ").partition("=")
        if name in ("t", "v1"):
            if name in found:
                raise BadSignature(f"the signature has more than one {name}")
            found[name] = value
    at, signature = found.get("t", ""), found.get("v1", "")
    if not TIME.fullmatch(at) or not HASH.fullmatch(signature):
        raise BadSignature("the signature is not of the form t=...,v1=...")
    return at, bytes.fromhex(signature)
