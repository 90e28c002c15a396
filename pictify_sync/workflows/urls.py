"""The URLs of pictures that were rendered without telling where they are: from the first source that has them.

Sources are asked in the order of the settings: the batch's results again, the webhook inbox, the provider's look-up.
Changes nothing in state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pictify_sync.core.abilities import RenderFinder
from pictify_sync.core.collect import (
    Place,
    Wanted,
    by_template,
    in_results,
    match,
    read_event,
    remaining,
)
from pictify_sync.core.model import AssetKey
from pictify_sync.core.outcomes import Rendered
from pictify_sync.core.ports import Delivery, Inbox, Provider
from pictify_sync.errors import ProviderUnavailable

FREE_SOURCES = ("results", "inbox", "lookup")


@dataclass(frozen=True, slots=True)
class UrlSources:
    """Where to look."""

    order: tuple[str, ...] = FREE_SOURCES  # of results, inbox, lookup
    inbox: Inbox | None = None  # None: there is none
    single: bool = False  # True: what none of them has is rendered once more, and billed, by `workflows.single`


@dataclass(slots=True)
class Found:
    """What a search gave."""

    urls: dict[AssetKey, Rendered] = field(default_factory=dict)
    by: dict[AssetKey, str] = field(default_factory=dict)  # which source had it
    silent: dict[str, str] = field(default_factory=dict)  # source -> why it could not be asked


def find_urls(provider: Provider, wanted: Sequence[Wanted], sources: UrlSources) -> Found:
    """Look for the URLs of pictures of one provider. A source that cannot be asked is passed over, and told."""
    found = Found()
    for name in sources.order:
        left = remaining(wanted, found.urls)
        if not left:
            break
        try:
            new = _ask(name, provider, left, sources)
        except ProviderUnavailable as error:
            found.silent[name] = error.message
            continue
        found.urls.update(new)
        found.by.update(dict.fromkeys(new, name))
    return found


def _ask(name: str, provider: Provider, wanted: Sequence[Wanted], sources: UrlSources) -> Mapping[AssetKey, Rendered]:
    match name:
        case "results":
            return in_results(wanted, lambda place: _poll(provider, place))
        case "inbox":
            return {} if sources.inbox is None else match_inbox(wanted, sources.inbox.deliveries(), _ahead(provider))
        case "lookup":
            return _look_up(provider, wanted) if isinstance(provider, RenderFinder) else {}
        case _:
            raise AssertionError(f"{name} is no source of URLs")


def match_inbox(wanted: Sequence[Wanted], deliveries: Iterable[Delivery], ahead: float) -> dict[AssetKey, Rendered]:
    """Find pictures in webhook deliveries, which are streamed. `ahead`: as in `core.collect.match`."""
    read = (read_event(one.body) for one in deliveries)
    return match(wanted, (one for one in read if one is not None), ahead)


def _ahead(provider: Provider) -> float:
    return provider.clock_ahead() if isinstance(provider, RenderFinder) else 0.0


def _poll(provider: Provider, place: Place) -> Mapping[tuple[int, str], object]:
    return provider.poll(place.batch_id, place.items, place.layouts).outcomes


def _look_up(provider: RenderFinder, wanted: Sequence[Wanted]) -> dict[AssetKey, Rendered]:
    found: dict[AssetKey, Rendered] = {}
    ahead = provider.clock_ahead()
    for uid, group in by_template(wanted):
        found.update(match(group, provider.seen(uid, min(one.after for one in group)), ahead))
    return found
