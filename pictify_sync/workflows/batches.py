"""What an apply, a preview and a live check do alike with a batch: its variable sets made, and its end waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pictify_sync.core.model import AssetKey, Batch, Item
from pictify_sync.core.outcomes import BatchReport, BatchStatus
from pictify_sync.core.ports import Provider
from pictify_sync.errors import InputError, StalePlan

VariableSet = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that can be sent: its variable sets by item index, and what had to be left out."""

    batch: Batch | None  # None: nothing is left
    variable_sets: tuple[VariableSet, ...]
    dropped: tuple[tuple[Item, InputError | StalePlan], ...]  # items whose variables cannot be made, and why


def first_key(item: Item) -> AssetKey:
    """Return the asset whose variables stand for the item."""
    return next(key for keys in item.keys for key in keys)


def numbered(items: Sequence[Item]) -> tuple[Item, ...]:
    """Give the items the indices of their places."""
    return tuple(replace(item, index=index) for index, item in enumerate(items))


def prepared(batch: Batch, make: Callable[[AssetKey], VariableSet]) -> Prepared:
    """Make the variable sets. An item for which `make` raises InputError or StalePlan is left out."""
    items: list[Item] = []
    sets: list[VariableSet] = []
    dropped: list[tuple[Item, InputError | StalePlan]] = []
    for item in batch.items:
        try:
            sets.append(make(first_key(item)))
        except (InputError, StalePlan) as error:
            dropped.append((item, error))
        else:
            items.append(item)
    left = replace(batch, items=numbered(items)) if items else None
    return Prepared(left, tuple(sets), tuple(dropped))


def finished(
    provider: Provider, batch_id: str, size: tuple[int, Sequence[str]], pause: Callable[[float | None], None]
) -> BatchReport:
    """Poll a batch until it has ended. `size`: number of items, layouts.

    `pause` is given the seconds that the provider asks to wait. Raises ProviderError, and what `pause` raises.
    """
    items, layouts = size
    while (report := provider.poll(batch_id, items, layouts)).status is BatchStatus.OPEN:
        pause(report.retry_after)
    return report
