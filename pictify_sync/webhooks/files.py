"""Accepted webhook deliveries as files in a folder: each put there once, whole or not at all, durably.

A delivery is the same as another if either their ids or their bodies are equal: a retry keeps the id, a replay by
somebody who listened can only keep the body. This module must not know what deliveries say.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from pictify_sync.core.ports import Delivery
from pictify_sync.errors import StateError

MAX_FILE = 8 << 20  # bytes of one file that is read
SHARDS = [f"{number:02x}" for number in range(256)]


class FileInbox:
    """An Inbox in a folder, which is made when the first delivery comes. Safe with threads and processes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, delivery: Delivery) -> bool:
        """Keep it, durably; False when a delivery of that id, or of that body, is kept already. Raises StateError."""
        place, body = self._place("ids", delivery.id), self._place("bodies", delivery.body)
        text = json.dumps(asdict(delivery), ensure_ascii=True, sort_keys=True)
        try:
            if place.exists() or body.exists():
                return False
            draft = self._draft(text.encode())
            try:
                return self._link(draft, place, body)
            finally:
                draft.unlink()
        except OSError as error:
            raise StateError(f"cannot write to the inbox {self._root}: {error.strerror or error}") from error

    def _link(self, draft: Path, place: Path, body: Path) -> bool:
        """First the id, then the body: a kill between them leaves a delivery that may come twice, never none."""
        if not _linked(draft, place):
            return False
        if not _linked(draft, body):  # somebody put the same body under another id meanwhile
            place.unlink(missing_ok=True)
            return False
        return True

    def _place(self, kind: str, text: str) -> Path:
        name = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return self._root / kind / name[:2] / f"{name}.json"

    def _draft(self, content: bytes) -> Path:
        folder = self._root / "drafts"
        _make(folder)
        draft = folder / token_hex(16)
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(file, "wb") as stream:  # noqa: PTH123 - by descriptor
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return draft

    def deliveries(self, since: float = 0.0) -> Iterator[Delivery]:
        return (delivery for _, delivery in self.after("", since))

    def after(self, cursor: str, since: float = 0.0) -> Iterator[tuple[str, Delivery]]:
        """Deliveries behind a cursor ("" for all) in the order of the hashes of their ids, each with its cursor.

        A file that was last written before `since` (epoch seconds) is not opened.
        """
        for shard in SHARDS:
            if shard < cursor[:2]:
                continue
            for path in _listed(self._root / "ids" / shard):
                if path.suffix != ".json" or path.stem <= cursor or _written(path) < since:
                    continue
                if (found := _read(path)) is not None:
                    yield path.stem, found

    def remove(self, ids: Collection[str]) -> None:
        """The body goes before the id, so that a delivery whose removal was cut off can be removed again."""
        for name in ids:
            place = self._place("ids", name)
            try:
                if (found := _read(place)) is not None:
                    self._place("bodies", found.body).unlink(missing_ok=True)
                    place.unlink(missing_ok=True)
            except OSError as error:
                raise StateError(f"cannot write to the inbox {self._root}: {error.strerror or error}") from error

    def close(self) -> None: ...


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _written(path: Path) -> float:
    """When a file was last written, in epoch seconds; a file that is gone, never."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> Delivery | None:
    """A delivery; None when it is no longer there: it was one of two with the same body."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(file, "rb") as stream:  # noqa: PTH123 - by descriptor
            return read_delivery(json.loads(stream.read(MAX_FILE)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a delivery"
        raise StateError(f"{path} cannot be read: {why}", hint="remove it if it is not yours") from error


def read_delivery(fields: object) -> Delivery:
    """Read a delivery from its JSON fields. Raises ValueError."""
    if not isinstance(fields, dict):
        raise ValueError("not a delivery")
    name, at, body = (fields.get(one) for one in ("id", "received_at", "body"))
    if not isinstance(name, str) or not isinstance(body, str):
        raise ValueError("not a delivery")
    if not isinstance(at, (int, float)) or isinstance(at, bool):
        raise ValueError("not a delivery")
    return Delivery(name, float(at), body)


def _linked(draft: Path, place: Path) -> bool:
    _make(place.parent)
    try:
        os.link(draft, place)
    except FileExistsError:
        return False
    _sync(place.parent)
    return True


def _make(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    if folder.is_dir():
        return
    _make(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
