"""Whether a finished batch adds up: counts of it, of its pictures, and rows that tell of one item. Never raises.

Counts are of variable sets (Pictify, Get batch results); a service that counts every layout is understood too. An item
some of whose layouts failed may count as either: no page says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pictify_sync.core.outcomes import Outcome, Rendered

TOTAL = ("totalItems", "totalCount")  # REST; webhooks and the docs of January
COMPLETED = ("completedItems", "completedCount")
FAILED = ("failedItems", "failedCount")

Json = Mapping[str, object]
Cells = Mapping[tuple[int, str], Outcome]


def number(value: object) -> int | None:
    """A whole number from 0, also written as text or as a float."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def objects(value: object) -> Iterator[Json]:
    """The objects of a list; nothing of anything else."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def finished(envelope: Json) -> int:
    """Finished items by the provider's count."""
    return sum(number(_told([envelope], names)) or 0 for names in (COMPLETED, FAILED))


def contradiction(envelopes: Sequence[Json], outcomes: Cells, items: int, layouts: Sequence[str]) -> str:
    """Say how an answer contradicts itself or the batch that was sent; "" when it does not."""
    return _repeated(envelopes) or _miscounted(envelopes, outcomes, items, layouts)


def _repeated(envelopes: Iterable[Json]) -> str:
    """An item that is told of twice, and not in the same words."""
    rows: dict[int, Json] = {}
    for envelope in envelopes:
        for row in objects(envelope.get("results")):
            index = number(row.get("index"))
            if index is not None and rows.setdefault(index, row) != row:
                return f"its results have index {index:,} twice, with different outcomes"
    return ""


def _miscounted(envelopes: Sequence[Json], outcomes: Cells, items: int, layouts: Sequence[str]) -> str:
    told = {names: _told(envelopes, names) for names in (TOTAL, COMPLETED, FAILED)}
    for names, value in told.items():
        if value is not None and number(value) is None:
            return f"{names[0]} is {str(value)[:40]}"
    total, completed, failed = map(number, told.values())
    if total is not None and total not in (items, items * len(layouts)):
        return f"it counts {total:,} items, {items:,} were sent"
    count = items if total is None else total
    if completed is not None and failed is not None and completed + failed != count:
        return f"{completed:,} completed and {failed:,} failed are not {count:,}"
    least, most = _made(outcomes, items, layouts, every=count != items)
    if completed is not None and not least <= completed <= most:
        return f"it counts {completed:,} as completed, and its results {most:,}"
    return ""


def _told(envelopes: Iterable[Json], names: Sequence[str]) -> object:
    found = (envelope.get(name) for envelope in envelopes for name in names)
    return next((one for one in found if one is not None), None)


def _made(outcomes: Cells, items: int, layouts: Sequence[str], *, every: bool) -> tuple[int, int]:
    """How many were rendered: items whole, and items in part. `every`: pictures are counted, not items."""
    rendered = {place for place, outcome in outcomes.items() if isinstance(outcome, Rendered)}
    if every:
        return len(rendered), len(rendered)
    rows = [[(index, layout) in rendered for layout in layouts] for index in range(items)]
    return sum(map(all, rows)), sum(map(any, rows))
