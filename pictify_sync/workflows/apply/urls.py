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
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable

MAX_SILENT = 2  # batches in a row without an answer, until no other one is asked for
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
    """Look for the URLs of pictures of one provider. A source that cannot be asked is passed over, and told.

    Raises AuthenticationFailed, and ProviderError when what should be an inbox is none.
    """
    found = Found()
    for name in sources.order:
        left = remaining(wanted, found.urls)
        if not left:
            break
        try:
            new = _ask(name, provider, left, sources, found.silent)
        except ProviderError as error:
            ours = name == "inbox" and not isinstance(error, ProviderUnavailable)  # nothing the provider could mend
            if ours or isinstance(error, AuthenticationFailed):
                raise
            found.silent[name] = error.message
            continue
        found.urls.update(new)
        found.by.update(dict.fromkeys(new, name))
    return found


def _ask(
    name: str, provider: Provider, wanted: Sequence[Wanted], sources: UrlSources, silent: dict[str, str]
) -> Mapping[AssetKey, Rendered]:
    match name:
        case "results":
            return in_results(wanted, _Results(provider, silent))
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


class _Results:
    """Asks for the results of batches; one that gives no answer does not hide the others."""

    def __init__(self, provider: Provider, silent: dict[str, str]) -> None:
        self._provider, self._silent = provider, silent
        self._unanswered = 0  # batches in a row

    def __call__(self, place: Place) -> Mapping[tuple[int, str], object]:
        if self._unanswered >= MAX_SILENT:
            return {}
        try:
            report = self._provider.poll(place.batch_id, place.items, place.layouts)
        except AuthenticationFailed:
            raise
        except ProviderError as error:
            self._unanswered += isinstance(error, ProviderUnavailable)
            self._silent["results"] = error.message
            return {}
        self._unanswered = 0
        return report.outcomes


def _look_up(provider: RenderFinder, wanted: Sequence[Wanted]) -> dict[AssetKey, Rendered]:
    found: dict[AssetKey, Rendered] = {}
    ahead = provider.clock_ahead()
    for uid, group in by_template(wanted):
        found.update(match(group, provider.seen(uid, min(one.after for one in group)), ahead))
    return found
