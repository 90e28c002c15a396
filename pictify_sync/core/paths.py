"""A path belongs to one record: which changes of a plan would take the path of a picture that stays where it is.

What a change frees (a delete, a move, an update that goes elsewhere) may be taken in the same run, unless that change
is blocked itself. Two paths are one where some file system takes them for one, and a file may not be a folder too.
This module must not know what lies at a path.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pictify_sync.core.entries import OpenBatch
from pictify_sync.core.model import Action, AssetKey, Change, Reason, Record, Status

_UNSEEN = re.compile(  # Unicode's Default_Ignorable_Code_Point
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PUBLISHES = (Action.CREATE, Action.UPDATE, Action.REPAIR, Action.MOVE)


@dataclass(frozen=True, slots=True)
class Held:
    """A path that a record, or an open batch, keeps for itself."""

    key: AssetKey
    path: str


def folded(path: str) -> str:
    """Return what equals for two paths that some file system takes for one: no letter case, one Unicode form.

    Characters that show nothing are left out: HFS+ passes over several of them, and no reader sees any.
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", _UNSEEN.sub("", path)).casefold())


def folders(path: str) -> Iterator[str]:
    """Yield every folder that a path lies in."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def meet(one: str, other: str) -> bool:
    """Whether two folded paths cannot both be files: they are equal, or one is a folder of the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def held_paths(records: Iterable[Record], opened: Iterable[OpenBatch]) -> Iterator[Held]:
    """Yield the paths of published pictures, and those that awaited pictures will be published at."""
    for record in records:
        if record.artifact is not None:
            yield Held(record.key, record.artifact.path)
        if record.status is Status.RENDERED and (record.artifact is None or record.artifact.path != record.output):
            yield Held(record.key, record.output)
    for batch in opened:
        for claim in batch.intended.claims:
            yield Held(claim.key, claim.output)


def taken_path(change: Change) -> str | None:
    """Return the path that a change publishes at and that is not its record's already; None: it takes none."""
    if change.asset is None or change.action not in _PUBLISHES:
        return None
    artifact = None if change.record is None else change.record.artifact
    return None if artifact is not None and artifact.path == change.asset.output else change.asset.output


def freed_key(change: Change) -> AssetKey | None:
    """Return the key whose picture leaves its present path when the change is carried out; None: no picture does."""
    if change.action is Action.MOVE:
        return None if change.source is None else change.source.key
    return change.key if change.action is Action.DELETE or taken_path(change) is not None else None


@dataclass(slots=True)
class PathIndex:
    """Folded paths to be met: by hashes alone, so that a million of them find room."""

    _paths: set[int] = field(default_factory=set)
    _above: set[int] = field(default_factory=set)  # folders of these

    def add(self, path: str) -> None:
        """Add a path as it is written."""
        fold = folded(path)
        self._paths.add(hash(fold))
        self._above.update(map(hash, folders(fold)))

    def meets(self, path: str) -> bool:
        """Whether a path cannot be a file beside these. Never wrong in saying no."""
        fold = folded(path)
        here = hash(fold)
        return here in self._paths or here in self._above or any(hash(one) in self._paths for one in folders(fold))

    def __bool__(self) -> bool:
        return bool(self._paths)


def find_clashes(
    changes: Callable[[], Iterable[Change]], held: Callable[[], Iterable[Held]], wanted: PathIndex
) -> Mapping[AssetKey, Held]:
    """Return each change that would take a path which is not freed, with who holds it.

    `wanted`: the paths that the changes take. The changes are read only where another holds one of these.
    """
    near = [one for one in held() if wanted.meets(one.path)] if wanted else []
    return _blocked(changes, near) if near else {}


@dataclass(slots=True)
class _Graph:
    """Who waits for whose path, and by which change a path is freed."""

    waits: dict[AssetKey, list[Held]] = field(default_factory=dict)  # taker -> holders
    freed_by: dict[AssetKey, AssetKey] = field(default_factory=dict)  # holder -> key of the change that frees it
    takers: dict[AssetKey, list[AssetKey]] = field(default_factory=dict)  # holder -> who waits for it


def _blocked(changes: Callable[[], Iterable[Change]], near: Iterable[Held]) -> Mapping[AssetKey, Held]:
    graph = _graph(changes, near)
    blocked: dict[AssetKey, Held] = {}
    for taker, holders in graph.waits.items():
        staying = next((one for one in holders if one.key not in graph.freed_by), None)
        if staying is not None:
            blocked[taker] = staying
    left = list(blocked)
    freeing: dict[AssetKey, list[AssetKey]] = {}
    for holder, by in graph.freed_by.items():
        freeing.setdefault(by, []).append(holder)
    while left:
        for holder in freeing.get(left.pop(), ()):
            for taker in graph.takers.get(holder, ()):
                if taker not in blocked:
                    blocked[taker] = next(one for one in graph.waits[taker] if one.key == holder)
                    left.append(taker)
    return blocked


def _graph(changes: Callable[[], Iterable[Change]], near: Iterable[Held]) -> _Graph:
    exact: dict[str, list[Held]] = {}
    above: dict[str, list[Held]] = {}  # folder -> what is held below it
    keys = set()
    for one in near:
        fold = folded(one.path)
        exact.setdefault(fold, []).append(one)
        keys.add(one.key)
        for folder in folders(fold):
            above.setdefault(folder, []).append(one)
    graph = _Graph()
    for change in changes():
        freed = freed_key(change)
        if freed in keys and freed is not None:
            graph.freed_by[freed] = change.key
        path = taken_path(change)
        if path is None:
            continue
        fold = folded(path)
        met = [*exact.get(fold, ()), *above.get(fold, ())]
        met += [one for folder in folders(fold) for one in exact.get(folder, ())]
        others = [one for one in met if one.key not in {change.key, freed}]
        if others:
            graph.waits[change.key] = others
            for one in others:
                graph.takers.setdefault(one.key, []).append(change.key)
    return graph


def as_blocked(change: Change, clashes: Mapping[AssetKey, Held]) -> Change:
    """Return the change as the plan shows it: one whose path is another's waits."""
    holder = clashes.get(change.key)
    if holder is None:
        return change
    return replace(change, action=Action.BLOCKED, reason=Reason.PATH_TAKEN, source=None, holder=holder.key)
