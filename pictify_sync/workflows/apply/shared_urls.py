"""One URL for pictures of different inputs: a provider that mixes pictures up gives itself away so.

Equal pictures rightly have one URL where a service addresses by content. Where the URL names the sha256 of the very
bytes that were there, as the embedded server's do, that is what it does; elsewhere nobody can tell, and it is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pictify_sync.core.entries import Intended
from pictify_sync.core.events import SharedUrl
from pictify_sync.core.model import AssetKey, Fingerprint
from pictify_sync.core.outcomes import Outcome, Rendered
from pictify_sync.core.reconcile import Published, Result


@dataclass(frozen=True, slots=True)
class Found:
    """A picture, what was said of it, and what came of that."""

    key: AssetKey
    fingerprint: Fingerprint
    outcome: Outcome | None  # None: no word
    result: Result | None


class Addresses:
    """The URLs of one run, each with the first picture that was there."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[AssetKey, Fingerprint]] = {}

    def look(self, pictures: Iterable[Found]) -> SharedUrl | None:
        """Note pictures; tell of those that lie at the URL of another one whose inputs are others, if there are any."""
        shared = [(first, one.key) for one in pictures if (first := self._shared(one))]
        if not shared:
            return None
        return SharedUrl(shared[0], len(shared) - 1)

    def _shared(self, found: Found) -> AssetKey | None:
        """Return the key of another picture that was there before, if its inputs were others."""
        url = found.outcome.url if isinstance(found.outcome, Rendered) else None
        if not url or _names_its_content(url, found.result):
            return None
        key, fingerprint = self._first.setdefault(url, (found.key, found.fingerprint))
        return None if fingerprint == found.fingerprint else key


def of_batch(
    intended: Intended, outcomes: Mapping[tuple[int, str], Outcome], results: Mapping[tuple[int, str], Result]
) -> Iterator[Found]:
    """Yield the pictures of a batch that ended."""
    for claim in intended.claims:
        cell = (claim.index, claim.layout)
        yield Found(claim.key, claim.fingerprint, outcomes.get(cell), results.get(cell))


def _names_its_content(url: str, result: Result | None) -> bool:
    return isinstance(result, Published) and any(one.sha256 in url.lower() for one in result.artifacts.values())
