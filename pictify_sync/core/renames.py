"""Keys that go and keys that come in one plan, and are probably one picture with a new key that was edited too.

What is equal but for the key is a move already. Here a pair has one output path, or values that are equal, or equal but
for one, where no other picture shares the rest. A guess: it is told, and nothing is done about it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pictify_sync.core.fingerprint import canonical
from pictify_sync.core.model import Action, Asset, AssetKey, Change, Reason, Record, split_key
from pictify_sync.core.paths import folded

LOOKED_AT = 2_000  # keys that go, and as many that come
NAMED = 20  # pairs that are given
MOST_VALUES = 50  # of one picture: with more it is not compared
_COMES = (Reason.NEW, Reason.FAILED_BEFORE, Reason.REQUESTED, Reason.PATH_TAKEN)

Recall = Callable[[str], str | None]  # digest of variables -> canonical JSON, None when only the digest is kept


@dataclass(frozen=True, slots=True)
class LikelyRename:
    """Two keys that are probably one."""

    old: AssetKey
    new: AssetKey


@dataclass(slots=True)
class RenameFinder:
    """Collects what comes and goes. Feed it every change, then ask for the pairs."""

    _gone: list[Record] = field(default_factory=list)
    _come: list[Asset] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Take note of a change, while there is room."""
        asset, record = change.asset, change.record
        if asset is None and record is not None and change.action in (Action.DELETE, Action.BLOCKED):
            self._gone += [record] if len(self._gone) < LOOKED_AT else []
        elif asset is not None and record is None and change.source is None and change.reason in _COMES:
            self._come += [asset] if len(self._come) < LOOKED_AT else []

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self._gone and self._come)

    def pairs(self, recall: Recall, others: Iterable[Asset]) -> tuple[LikelyRename, ...]:
        """Return the pairs by the old key; `others`: pictures that stay, with which a pair must have less in common."""
        found: dict[AssetKey, AssetKey] = {}
        old_paths = {record.key: [_path(record)] for record in self._gone}
        new_paths = {asset.key: [folded(asset.output)] for asset in self._come}
        _match(found, old_paths, new_paths, Counter())
        old_marks = {record.key: list(_record_marks(record, recall)) for record in self._gone}
        new_marks = {asset.key: list(_marks(asset.key, asset.spec.template, asset.variables)) for asset in self._come}
        wanted = {mark for marks in old_marks.values() for mark in marks}
        shared = Counter(
            mark for one in others for mark in _marks(one.key, one.spec.template, one.variables) if mark in wanted
        )
        _match(found, old_marks, new_marks, shared)
        return tuple(LikelyRename(old, found[old]) for old in sorted(found, key=str.encode))


def _path(record: Record) -> str:
    return folded(record.artifact.path if record.artifact is not None else record.output)


def _match(
    found: dict[AssetKey, AssetKey],
    old: dict[AssetKey, list[str]],
    new: dict[AssetKey, list[str]],
    shared: Counter[str],
) -> None:
    """Pair keys that have a mark in common which no other key has; what is paired already stays so."""
    taken = set(found.values())
    goes = _owners({key: marks for key, marks in old.items() if key not in found})
    comes = _owners({key: marks for key, marks in new.items() if key not in taken})
    for key, marks in old.items():
        for mark in marks if key not in found else ():
            partner = comes.get(mark)
            if goes[mark] is not None and partner is not None and not shared[mark] and partner not in taken:
                found[key] = partner
                taken.add(partner)
                break


def _owners(marks: dict[AssetKey, list[str]]) -> dict[str, AssetKey | None]:
    """Return who has a mark; None when several do."""
    owners: dict[str, AssetKey | None] = {}
    for key, some in marks.items():
        for mark in some:
            owners[mark] = None if mark in owners else key
    return owners


def _record_marks(record: Record, recall: Recall) -> Iterator[str]:
    kept = None if record.fingerprint is None else recall(record.fingerprint.variables)
    if kept is not None and record.spec is not None:
        yield from _marks(record.key, record.spec.template, kept)


def _marks(key: AssetKey, template: str, variables: str) -> Iterator[str]:
    """Yield what two versions of a picture have in common: all of its values, or all but one."""
    values = json.loads(variables)
    if not isinstance(values, dict) or not 1 < len(values) <= MOST_VALUES:
        return
    layout = split_key(key)[2]
    yield canonical((layout, template, "", values))
    for name in values:
        yield canonical((layout, template, name, {other: value for other, value in values.items() if other != name}))
