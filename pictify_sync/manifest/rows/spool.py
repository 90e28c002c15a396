"""Expanded assets in a temporary database, so that they can be sorted, checked and read again in bounded memory.

The database has no name: the system removes it with the process, however that ends. No sensitive value enters it.
This module must not know where items come from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pictify_sync.core.model import Asset, AssetKey, Fingerprint, Origin, RenderSpec
from pictify_sync.core.paths import folded
from pictify_sync.manifest.expand import Item

CHUNK = 2_000  # assets written or read at once
MAX_TOLD = 1_000  # clashes of one kind that are looked at

_SCHEMA = """
pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -16000; pragma temp_store = file;
create table items (id integer primary key, variables text, digest text, file integer, line integer, col integer,
    manifest integer);
create table assets (key text, spec integer, item integer, output text, fold text);
create table folders (fold text primary key) without rowid;
"""
_ASSETS = (
    "select a.key, a.spec, a.output, i.variables, i.digest, i.file, i.line, i.col"
    " from assets a join items i on i.id = a.item {} order by a.key"
)
_CLASHING = (
    "select a.key, a.output, a.item, i.file, i.line, i.col"
    " from assets a join items i on i.id = a.item where {} order by a.item"
)


@dataclass(frozen=True, slots=True)
class Layer:
    """What all assets of one manifest and layout share."""

    suffix: str  # "@" and the layout
    spec: RenderSpec
    digest: str  # of the spec
    protect: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """Two assets that cannot both be. `first` and `second` are their places, `keys` their keys."""

    keys: tuple[str, str]
    output: str  # of the second
    first: Origin
    second: Origin


class Spool:
    """Assets on disk. Filled once, then read as often as needed."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)
        self._db.execute("begin")
        self._layers: list[Layer] = []
        self._files: dict[str, int] = {}
        self._names: list[str] = []
        self._items: list[tuple[object, ...]] = []
        self._assets: list[tuple[object, ...]] = []
        self._folders: set[str] = set()
        self._count = self._item = 0

    def __len__(self) -> int:
        return self._count

    def __del__(self) -> None:
        self._db.close()

    def layers(self, layers: Sequence[Layer]) -> range:
        """Take what the next manifest's assets share; give the numbers to pass to `put`."""
        start = len(self._layers)
        self._layers.extend(layers)
        return range(start, len(self._layers))

    def put(self, manifest: tuple[str, int], item: Item, layers: range) -> None:
        """Keep one item of a manifest (name, number) in all its layers."""
        file = self._files.setdefault(item.file, len(self._files))
        self._item += 1
        self._items.append((self._item, item.variables, item.digest, file, *item.spot, manifest[1]))
        prefix = f"{manifest[0]}/{item.key}"
        for layer, output in zip(layers, item.outputs, strict=True):
            fold = folded(output)
            self._assets.append((prefix + self._layers[layer].suffix, layer, self._item, output, fold))
            folder = fold.rpartition("/")[0]
            if folder not in self._folders:
                self._keep_folder(folder)
        self._count += len(layers)
        if len(self._assets) >= CHUNK:
            self._flush()

    def close(self) -> None:
        """Drop everything."""
        self._db.close()

    def seal(self) -> None:
        """End the filling: from now on it can be read."""
        self._flush()
        self._db.execute("create index by_key on assets (key)")
        self._names = list(self._files)

    def assets(self) -> Iterator[Asset]:
        """Yield all assets sorted by key."""
        return self._read(self._db.execute(_ASSETS.format("")))

    def get(self, key: AssetKey) -> Asset | None:
        """Return the asset of a key."""
        return next(self._read(self._db.execute(_ASSETS.format("where a.key = ?"), (key,))), None)

    def duplicates(self) -> Iterator[Clash]:
        """Yield each item whose key another one has already, once for all layouts."""
        query = "select key from assets group by key having count(*) > 1 order by key limit ?"
        yield from self._clashes("a.key = ?", query)

    def collisions(self) -> Iterator[Clash]:
        """Yield each asset whose output path is, for some file system, that of another."""
        query = "select fold from assets group by fold having count(*) > 1 order by fold limit ?"
        yield from self._clashes("a.fold = ?", query)

    def covered(self) -> Iterator[Asset]:
        """Yield assets whose output path is also the folder of another output."""
        where = "where a.fold in (select fold from folders)"
        return self._read(self._db.execute(f"{_ASSETS.format(where)} limit {MAX_TOLD}"))

    def holding(self, manifest: int, characters: str) -> Iterator[tuple[str, Origin]]:
        """Yield (characters found, place) of a manifest's items whose variables hold any of some characters."""
        wanted = set(characters)
        for variables, file, *spot in self._db.execute(
            "select variables, file, line, col from items where manifest = ? order by id", (manifest,)
        ):
            if found := wanted.intersection(variables):
                yield "".join(sorted(found)), Origin(self._names[file], *spot)

    def _keep_folder(self, folder: str) -> None:
        if len(self._folders) >= CHUNK:
            self._folders.clear()
        self._folders.add(folder)
        parts = folder.split("/")
        every = [("/".join(parts[: n + 1]),) for n in range(len(parts))] if folder else []
        self._db.executemany("insert or ignore into folders values (?)", every)

    def _flush(self) -> None:
        self._db.executemany("insert into items values (?, ?, ?, ?, ?, ?, ?)", self._items)
        self._db.executemany("insert into assets values (?, ?, ?, ?, ?)", self._assets)
        self._items.clear()
        self._assets.clear()

    def _read(self, cursor: sqlite3.Cursor) -> Iterator[Asset]:
        while rows := cursor.fetchmany(CHUNK):
            for key, number, output, variables, digest, file, *spot in rows:
                layer = self._layers[number]
                fingerprint = Fingerprint(layer.digest, digest)
                origin = Origin(self._names[file], *spot)
                yield Asset(key, layer.spec, variables, fingerprint, output, origin, layer.protect)

    def _clashes(self, where: str, query: str) -> Iterator[Clash]:
        told: set[int] = set()
        groups = self._db.execute(query, (MAX_TOLD,)).fetchall()
        if groups and "fold" in where:
            self._db.execute("create index if not exists by_fold on assets (fold)")
        for (shared,) in groups:
            rows = self._db.execute(f"{_CLASHING.format(where)} limit ?", (shared, MAX_TOLD)).fetchall()
            first = rows[0]
            for row in rows[1:]:
                if row[2] not in told:
                    told.add(row[2])
                    origins = (Origin(self._names[one[3]], *one[4:]) for one in (first, row))
                    yield Clash((first[0], row[0]), row[1], *origins)
