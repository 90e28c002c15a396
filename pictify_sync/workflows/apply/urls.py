"""The URLs of pictures: looked for where a batch did not tell them, and held against each other.

Sources are asked in the order of the settings: the batch's results again, the webhook inbox, the provider's look-up.
One URL for pictures of different inputs gives a provider away that mixes pictures up. Equal pictures rightly have one
where a service addresses by content: where the URL names the sha256 of the very bytes that were there, that is what it
does; elsewhere nobody can tell, and it is said. Changes nothing in state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pictify_sync.core.abilities import RenderLookup, Webhooks
from pictify_sync.core.collect import FoundRender, Place, Wanted, by_template, in_results, match, remaining
from pictify_sync.core.entries import Intended
from pictify_sync.core.events import SharedUrl
from pictify_sync.core.model import AssetKey, Fingerprint
from pictify_sync.core.outcomes import Outcome, Rendered
from pictify_sync.core.ports import Delivery, Inbox, Provider
from pictify_sync.core.reconcile import Published, Result
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable

MAX_SILENT = 2  # batches in a row without an answer, until no other one is asked for
MARGIN_SECONDS = 3_600.0  # clocks of this machine and of the receiver may differ by that much
FREE_SOURCES = ("results", "inbox", "lookup")


@dataclass(frozen=True, slots=True)
class UrlSources:
    """Where to look."""

    order: tuple[str, ...] = FREE_SOURCES  # of results, inbox, lookup
    inbox: Inbox | None = None  # None: there is none
    single: bool = False  # True: what none of them has is rendered once more, and billed, by `workflows.single`


@dataclass(slots=True)
class FoundUrls:
    """What a search found."""

    urls: dict[AssetKey, Rendered] = field(default_factory=dict)
    deliveries: dict[AssetKey, str] = field(default_factory=dict)  # id of the webhook delivery that had the URL
    silent: dict[str, str] = field(default_factory=dict)  # source -> why it could not be asked


def find_urls(provider: Provider, wanted: Sequence[Wanted], sources: UrlSources) -> FoundUrls:
    """Look for the URLs of pictures of one provider. A source that cannot be asked is passed over and reported.

    Raises AuthenticationFailed, and ProviderError when what should be an inbox is none.
    """
    found = FoundUrls()
    for name in sources.order:
        left = remaining(wanted, found.urls)
        if not left:
            break
        try:
            found.urls.update(_ask(name, provider, left, sources, found))
        except ProviderError as error:
            ours = name == "inbox" and not isinstance(error, ProviderUnavailable)  # nothing the provider could mend
            if ours or isinstance(error, AuthenticationFailed):
                raise
            found.silent[name] = error.message
    return found


def _ask(
    name: str, provider: Provider, wanted: Sequence[Wanted], sources: UrlSources, found: FoundUrls
) -> Mapping[AssetKey, Rendered]:
    match name:
        case "results":
            return in_results(wanted, _Results(provider, found.silent))
        case "inbox":
            if sources.inbox is None or not isinstance(provider, Webhooks):
                return {}
            since = min(one.after for one in wanted) - MARGIN_SECONDS  # nothing earlier shows a picture of these
            renders = match_inbox(wanted, sources.inbox.deliveries(since), provider)
            found.deliveries.update((key, one.delivery) for key, one in renders.items())
            return _urls(renders)
        case "lookup":
            return _urls(_look_up(provider, wanted)) if isinstance(provider, RenderLookup) else {}
        case _:
            raise AssertionError(f"{name} is no source of URLs")


def match_inbox(
    wanted: Sequence[Wanted], deliveries: Iterable[Delivery], provider: Webhooks
) -> dict[AssetKey, FoundRender]:
    """Find pictures in webhook deliveries, which are streamed."""
    ahead = provider.clock_ahead() if isinstance(provider, RenderLookup) else 0.0
    read = map(provider.webhook_format.read, deliveries)
    return match(wanted, (one for one in read if one is not None), ahead)


def _urls(renders: Mapping[AssetKey, FoundRender]) -> dict[AssetKey, Rendered]:
    return {key: Rendered(one.url, one.width, one.height, one.remote_id) for key, one in renders.items()}


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


def _look_up(provider: RenderLookup, wanted: Sequence[Wanted]) -> dict[AssetKey, FoundRender]:
    found: dict[AssetKey, FoundRender] = {}
    ahead = provider.clock_ahead()
    for uid, group in by_template(wanted):
        found.update(match(group, provider.found_renders(uid, min(one.after for one in group)), ahead))
    return found


@dataclass(frozen=True, slots=True)
class LocatedPicture:
    """A picture, what was said of it, and what came of that."""

    key: AssetKey
    fingerprint: Fingerprint
    outcome: Outcome | None  # None: no word
    result: Result | None


class Addresses:
    """The URLs of one run, each with the first picture that was there."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[AssetKey, Fingerprint]] = {}

    def look(self, pictures: Iterable[LocatedPicture]) -> SharedUrl | None:
        """Note pictures; tell of those that lie at the URL of another one whose inputs are others, if there are any."""
        shared = [(first, one.key) for one in pictures if (first := self._shared(one))]
        if not shared:
            return None
        return SharedUrl(shared[0], len(shared) - 1)

    def _shared(self, found: LocatedPicture) -> AssetKey | None:
        """Return the key of another picture that was there before, if its inputs were others."""
        url = found.outcome.url if isinstance(found.outcome, Rendered) else None
        if not url or _names_its_content(url, found.result):
            return None
        key, fingerprint = self._first.setdefault(url, (found.key, found.fingerprint))
        return None if fingerprint == found.fingerprint else key


def located(
    intended: Intended, outcomes: Mapping[tuple[int, str], Outcome], results: Mapping[tuple[int, str], Result]
) -> Iterator[LocatedPicture]:
    """Yield the pictures of a batch that ended."""
    for claim in intended.claims:
        cell = (claim.index, claim.layout)
        yield LocatedPicture(claim.key, claim.fingerprint, outcomes.get(cell), results.get(cell))


def _names_its_content(url: str, result: Result | None) -> bool:
    return isinstance(result, Published) and any(one.sha256 in url.lower() for one in result.artifacts.values())
