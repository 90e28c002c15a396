"""Pictures that were seen somewhere (a webhook, a look-up) -> the assets they belong to. Blind to order and repeats.

A webhook and a look-up row name no batch, no index and no layout (Pictify, Webhooks; List renders). So a picture is
known by what went into it: template, variables, size and format, and by having been made since it was asked for, as
the template may have been another before. What could be two pictures, or names no time, is left alone.
This module must not know where sightings come from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import AssetKey, Fingerprint, Format, RenderSpec
from pictify_sync.core.outcomes import Rendered
from pictify_sync.core.template import TemplateRecord

DIGEST = "$digest"  # stands for values that were not kept
SECOND = 0.999  # seconds that a time without a fraction may be later than it says
MAX_SAFE = 2**53  # JavaScript's numbers are exact up to here
FORMATS = {"png": Format.PNG, "jpg": Format.JPEG, "jpeg": Format.JPEG, "webp": Format.WEBP, "mp4": Format.MP4}
STILLS = {Format.PNG, Format.JPEG, Format.WEBP}

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture stands in a batch that was accepted."""

    batch_id: str
    index: int
    items: int  # of the batch
    layouts: tuple[str, ...]  # of the batch


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that was rendered and whose URL is not known."""

    key: AssetKey
    picture: Fingerprint  # assets with an equal one share the picture
    template_uid: str
    variables: str  # `wire_digest` of what was sent
    layout: str
    format: Format
    width: int | None  # pixels; None: not known
    height: int | None
    after: float  # epoch seconds by our clock: when its batch was intended
    sole: bool = False  # True: the template has no other layout
    distinct: bool = False  # True: no other layout of the template has that size
    place: Place | None = None  # None: the batch is not known


@dataclass(frozen=True, slots=True)
class Sent:
    """What was asked of the provider for one picture."""

    variables: Json  # values as they went over the wire
    at: float  # epoch seconds: when the batch was intended
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A picture that the provider has made, as a webhook or a look-up tells of it."""

    url: str
    template_uid: str
    variables: str  # wire digest; "" when it tells no values
    width: int | None = None  # pixels; None: not told
    height: int | None = None
    format: Format | None = None  # None: not told
    at: float | None = None  # epoch seconds by the provider's clock, at the latest; None: not told
    remote_id: str | None = None


def wire_digest(variables: Json) -> str:
    """Digest of variables as they come back after a trip through JSON in JavaScript. "" when they cannot be encoded."""
    try:
        return digest(canonical(_travelled(variables)))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return ""


def _travelled(value: object) -> object:
    """1.0 comes back as 1, and whole numbers beyond 2^53 as the nearest double."""
    if isinstance(value, Mapping):
        return {str(name): _travelled(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_travelled(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    number = float(value) if abs(value) > MAX_SAFE else value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def want(key: AssetKey, picture: Fingerprint, spec: RenderSpec, template: TemplateRecord, sent: Sent) -> Wanted:
    """Describe a picture that is looked for. `template` is what is recorded of the spec's template."""
    size = template.layouts.get(spec.variant)
    sizes = [(one.width, one.height) for one in template.layouts.values()]
    return Wanted(
        key=key,
        picture=picture,
        template_uid=template.uid,
        variables=wire_digest(sent.variables),
        layout=spec.variant,
        format=spec.format,
        width=None if size is None else size.width,
        height=None if size is None else size.height,
        after=sent.at,
        sole=size is not None and len(sizes) == 1,
        distinct=size is not None and sizes.count((size.width, size.height)) == 1,
        place=sent.place,
    )


def match(wanted: Iterable[Wanted], sightings: Iterable[Sighting], ahead: float = 0.0) -> dict[AssetKey, Rendered]:
    """Find the URLs of wanted pictures. Memory is that of `wanted`; sightings are streamed.

    `ahead`: seconds by which the provider's clock is ahead of ours. Of several that fit, the first made counts.
    """
    index: dict[tuple[str, str], list[Wanted]] = {}
    for one in wanted:
        if one.variables:
            index.setdefault((one.template_uid, one.variables), []).append(one)
    best: dict[AssetKey, tuple[float, str, Wanted, Sighting]] = {}
    for seen in sightings:
        around = index.get((seen.template_uid, seen.variables), ())
        fitting = [one for one in around if _fits(one, seen, ahead)]
        if len({one.picture for one in fitting}) != 1:
            continue  # nobody's, or it could be either of two pictures
        for one in fitting:
            rank = (seen.at or 0.0, seen.url)
            if one.key not in best or rank < best[one.key][:2]:
                best[one.key] = (*rank, one, seen)
    return {key: Rendered(seen.url, one.width, one.height, seen.remote_id) for key, (_, _, one, seen) in best.items()}


def _fits(one: Wanted, seen: Sighting, ahead: float) -> bool:
    if seen.at is None or seen.at < one.after + ahead:  # it may show an older template
        return False
    if seen.format is not None and seen.format is not one.format:
        return False
    if seen.width is None or seen.height is None:
        return one.sole
    return one.distinct and (seen.width, seen.height) == (one.width, one.height)


def read_event(body: str | bytes) -> Sighting | None:
    """Read a webhook's body. None unless it tells of a rendered picture (`render.completed`)."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict) or event.get("event") != "render.completed":
        return None
    return read_sighting(data, at=instant(event.get("timestamp")))


def read_sighting(row: Json, *, at: float | None = None, template: str = "") -> Sighting | None:
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
    return Sighting(
        url=url,
        template_uid=named if isinstance(named, str) and named else template,
        variables=_digest(values) if isinstance(values, dict) else "",
        width=_pixels(size, "width"),
        height=_pixels(size, "height"),
        format=_format(row, url),
        at=next((one for one in times if one is not None), at),
        remote_id=_text(row, "imageId", "id", "uid") or None,
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


def _format(row: Json, url: str) -> Format | None:
    """What it says, or the ending of its URL; PNG alone may stand for any still (Pictify, List renders)."""
    ending = FORMATS.get(url.partition("?")[0].partition("#")[0].rpartition(".")[2].lower())
    said = FORMATS.get((_text(row, "format", "fileExtension")).lower().removeprefix("image/"))
    if said is Format.PNG and ending in STILLS:
        return ending
    return said or ending


def instant(value: object) -> float | None:
    """Epoch seconds of an ISO 8601 time, or of a number of seconds or milliseconds; None when it is none.

    A time in whole seconds may have been cut off: the latest moment that it can mean is given.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e14:
        at = value / 1000 if value > 1e11 else float(value)
    elif isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
            at = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    else:
        return None
    cut = not (isinstance(value, str) and "." in value) and at.is_integer()
    return at + SECOND if cut else at


def remaining(wanted: Iterable[Wanted], found: Mapping[AssetKey, Rendered]) -> list[Wanted]:
    """What is still looked for."""
    return [one for one in wanted if one.key not in found]


def by_template(wanted: Sequence[Wanted]) -> Iterator[tuple[str, list[Wanted]]]:
    """Give (template uid, its wanted pictures), sorted by uid."""
    groups: dict[str, list[Wanted]] = {}
    for one in wanted:
        groups.setdefault(one.template_uid, []).append(one)
    yield from sorted(groups.items())


def in_results(
    wanted: Iterable[Wanted], poll: Callable[[Place], Mapping[tuple[int, str], object]]
) -> dict[AssetKey, Rendered]:
    """Look again at the results of batches whose ids are known; each batch is asked for once."""
    outcomes: dict[str, Mapping[tuple[int, str], object]] = {}
    found = {}
    for one in wanted:
        if (place := one.place) is not None:
            if place.batch_id not in outcomes:
                outcomes[place.batch_id] = poll(place)
            outcome = outcomes[place.batch_id].get((place.index, one.layout))
            if isinstance(outcome, Rendered) and outcome.url:
                found[one.key] = outcome
    return found
