"""The name that was most likely meant by one that is not known: "did you mean" is the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nsmallest

LONGEST = 200  # characters compared
ALIKE = 0.7  # ratio of what two names share, from which on one may be meant by the other
LOOKED_AT = 5  # nearest names that are looked at more closely


def closest(word: str, names: Iterable[str], most: int = 1) -> list[str]:
    """Return the names nearest to a word: by edit distance, then by the prefix they share, then in order."""
    mine = word.casefold()[:LONGEST]
    ranked = nsmallest(max(most, LOOKED_AT), ((*_apart(mine, name.casefold()[:LONGEST]), name) for name in set(names)))
    return [name for distance, _, name in ranked if _alike(mine, name.casefold()[:LONGEST], distance)][:most]


def hint(word: str, names: Iterable[str], most: int = 1) -> str:
    """Return "did you mean 'x'?", or "" when no name is like the word."""
    found = closest(word, names, most)
    return f"did you mean {' or '.join(repr(name) for name in found)}?" if found else ""


def _alike(one: str, other: str, distance: int) -> bool:
    shorter = min(len(one), len(other))
    if distance <= 1 and shorter > 2:
        return True
    begins = shorter > 2 and (one.startswith(other) or other.startswith(one))
    return begins or SequenceMatcher(None, other, one).ratio() >= ALIKE


def _apart(one: str, other: str) -> tuple[int, int]:
    """Return (edit distance, less of a shared prefix). Neighbours that changed places are one edit."""
    ends, start = min(len(one), len(other)), 0
    while start < ends and one[start] == other[start]:
        start += 1
    stop = 0
    while stop < ends - start and one[-1 - stop] == other[-1 - stop]:
        stop += 1
    return _distance(one[start : len(one) - stop], other[start : len(other) - stop]), -start


def _distance(one: str, other: str) -> int:
    if not one or not other:
        return len(one) or len(other)
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            best = min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]
