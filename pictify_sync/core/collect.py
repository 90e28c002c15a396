"""Renders that were found somewhere (in a webhook, by a look-up) -> the assets they belong to, in any order.

What is found need not name a batch, an index or a layout. So a picture is known by what went into it: template,
variables, size and format, and by having been made since it was requested, as the template may have been another
before. What could be two pictures, or names no time, is left alone.
This module must not know where a render was found, nor how a provider writes it down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import AssetKey, Fingerprint, RenderSpec
from pictify_sync.core.outcomes import Rendered
from pictify_sync.core.template import TemplateRecord

SECOND = 0.999  # seconds that a time without a fraction may be later than it says
MAX_SAFE = 2**53  # JavaScript's numbers are exact up to here

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
    format: str
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
class FoundRender:
    """A picture that the provider has made, as a webhook or a look-up describes it."""

    url: str
    template_uid: str
    variables: str  # wire digest; "" when the values are not given
    width: int | None = None  # pixels; None: not given
    height: int | None = None
    format: str | None = None  # None: not given
    at: float | None = None  # epoch seconds by the provider's clock, at the latest; None: not given
    remote_id: str | None = None
    delivery: str = ""  # id of the webhook delivery that it was read from


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


def match(wanted: Iterable[Wanted], renders: Iterable[FoundRender], ahead: float = 0.0) -> dict[AssetKey, FoundRender]:
    """Return the render of each wanted picture that was found. Memory is that of `wanted`; renders are streamed.

    `ahead`: seconds by which the provider's clock is ahead of ours. Of several that fit, the first made counts.
    """
    index: dict[tuple[str, str], list[Wanted]] = {}
    for one in wanted:
        if one.variables:
            index.setdefault((one.template_uid, one.variables), []).append(one)
    best: dict[AssetKey, tuple[float, str, FoundRender]] = {}
    for found in renders:
        around = index.get((found.template_uid, found.variables), ())
        fitting = [one for one in around if _fits(one, found, ahead)]
        if len({one.picture for one in fitting}) != 1:
            continue  # nobody's, or it could be either of two pictures
        for one in fitting:
            rank = (found.at or 0.0, found.url)
            if one.key not in best or rank < best[one.key][:2]:
                best[one.key] = (*rank, replace(found, width=one.width, height=one.height))
    return {key: found for key, (_, _, found) in best.items()}


def _fits(one: Wanted, found: FoundRender, ahead: float) -> bool:
    if found.at is None or found.at < one.after + ahead:  # it may show an older template
        return False
    if found.format is not None and found.format != one.format:
        return False
    if found.width is None or found.height is None:
        return one.sole
    return one.distinct and (found.width, found.height) == (one.width, one.height)


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
    """Yield (template uid, its wanted pictures), sorted by uid."""
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
