"""Pictify's webhooks and look-up rows: whether a webhook was signed with a secret of ours, what it says, what is kept.

Pure: bytes and a time in, values out. Sources: Pictify, Webhooks (Verifying signatures, Security); List renders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest, digest

from pictify_sync.core.collect import FoundRender, instant, wire_digest
from pictify_sync.core.media import PNG, format_of, is_moving
from pictify_sync.core.ports import Delivery
from pictify_sync.errors import BadSignature

RENDER_EVENT = "render.completed"
TOLERANCE = 300.0  # seconds (documented)
OLDEST = 27 * 3600.0  # seconds: the last retry comes after 26.6 h, and whether it is signed anew is not said
DIGEST = "$digest"  # stands for values that were not kept

_TIME = re.compile(r"[0-9]{1,12}")
_HASH = re.compile(r"[0-9a-f]{64}")
# Texts in which the service may repeat a value; nothing is found by them.
_WORDS = frozenset(("error", "errors", "errormessage", "message", "reason", "detail", "details", "html"))

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PictifyWebhooks:
    """The `WebhookFormat` of Pictify."""

    signature_header: str = "X-Pictify-Signature"
    render_event: str = RENDER_EVENT

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: float) -> str:
        """Check `t=<unix seconds>,v1=<hex>`, an HMAC-SHA256 of `<t>.<raw body>`; returns the delivery's id."""
        at, signature = _parts(headers.get(self.signature_header.lower(), ""))
        message = at.encode() + b"." + body
        # All secrets are tried, so that the time taken tells nothing.
        good = [compare_digest(digest(one.encode(), message, "sha256"), signature) for one in secrets if one]
        if not any(good):
            raise BadSignature("the signature is wrong")
        age = now - int(at)
        if age < -TOLERANCE or age > OLDEST:
            raise BadSignature("the signature's time is too far from now", hint="check the clock of this machine")
        return headers.get("x-pictify-delivery-id", "")

    def without_values(self, body: str) -> str:
        """Return the body with a digest in place of each set of variables, without what the service says of them."""
        try:
            event = json.loads(body)
            kept = _kept(event) if isinstance(event, dict) else None
            return "" if kept is None else json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            return ""

    def read(self, delivery: Delivery) -> FoundRender | None:
        """Return the picture that a `render.completed` describes; None for every other delivery."""
        try:
            event = json.loads(delivery.body)
        except (ValueError, RecursionError):
            return None
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict) or event.get("event") != RENDER_EVENT:
            return None
        return read_render(data, at=instant(event.get("timestamp")), delivery=delivery.id)


def _parts(header: str) -> tuple[str, bytes]:
    """Time and signature of the header; parts of other names are for other versions.

    Several `t` or `v1` are refused, since another reader might take another of them.
    """
    found: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip(" ").partition("=")
        if name in ("t", "v1"):
            if name in found:
                raise BadSignature(f"the signature has more than one {name}")
            found[name] = value
    at, signature = found.get("t", ""), found.get("v1", "")
    if not _TIME.fullmatch(at) or not _HASH.fullmatch(signature):
        raise BadSignature("the signature is not of the form t=...,v1=...")
    return at, bytes.fromhex(signature)


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


def read_render(row: Json, *, at: float | None = None, template: str = "", delivery: str = "") -> FoundRender | None:
    """Read a look-up row or an event's data, tolerant of names. `at` and `template` stand in for what it lacks.

    None when there is no URL. Row keys of the look-up are not published; those of other routes are tried.
    """
    url = _text(row, "url") or _text(row, "userStorageUrl")
    if not url:
        return None
    inner = row.get("template")
    named = _text(row, "templateId", "templateUid") or (_text(inner, "uid", "id") if isinstance(inner, dict) else inner)
    values = row.get("variables")
    size = row.get("dimensions") if isinstance(row.get("dimensions"), dict) else row
    times = (instant(row.get(name)) for name in ("renderedAt", "createdAt", "timestamp"))
    return FoundRender(
        url=url,
        template_uid=named if isinstance(named, str) and named else template,
        variables=_digest(values) if isinstance(values, dict) else "",
        width=_pixels(size, "width"),
        height=_pixels(size, "height"),
        format=_format(row, url),
        at=next((one for one in times if one is not None), at),
        remote_id=_text(row, "imageId", "id", "uid") or None,
        delivery=delivery,
    )


def _digest(values: Json) -> str:
    kept = values.get(DIGEST) if len(values) == 1 else None
    return kept if isinstance(kept, str) else wire_digest(values)


def _text(row: Json, *names: str) -> str:
    found = (row.get(name) for name in names)
    return next((one for one in found if isinstance(one, str) and one), "")


def _pixels(row: object, name: str) -> int | None:
    found = row.get(name) if isinstance(row, Mapping) else None
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 6:
        found = int(found)
    whole = isinstance(found, (int, float)) and not isinstance(found, bool) and 0 < found < 100_000
    return int(found) if whole and isinstance(found, (int, float)) else None


def _format(row: Json, url: str) -> str | None:
    """What it says, or the ending of its URL; PNG alone may stand for any still (Pictify, List renders)."""
    ending = format_of(url.partition("?")[0].partition("#")[0])
    said = format_of(_text(row, "format", "fileExtension").removeprefix("image/"))
    if said == PNG.name and ending is not None and not is_moving(ending):
        return ending
    return said or ending
