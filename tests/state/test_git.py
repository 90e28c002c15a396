"""The store on a Git ref: the port's contract, as several clones see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.core.entries import Entry
from pictify_sync.core.ports import StateStore
from pictify_sync.state.git.store import GitStateStore
from tests.state.conformance import Open, StateStoreContract
from tests.state.git_remotes import Hub


class Attentive:
    """A store that looks at the ref before it reads, and waits until all is pushed after it wrote."""

    def __init__(self, store: GitStateStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        self._store.fetch()
        return getattr(self._store, name)

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        serial = self._store.commit(after_serial, entries)
        self._store.flush()
        return serial


class TestGitStateStore(StateStoreContract):
    """The contract, for a ref: every store is a clone of its own."""

    @pytest.fixture(autouse=True)
    def _closed(self) -> Iterator[None]:
        self.opened: list[GitStateStore] = []
        yield
        for store in self.opened:
            assert store.verify() == ()
            store.close()

    def opener(self, tmp_path: Path) -> Open:
        hub, numbers = Hub(tmp_path / "hub.git"), count()

        def again() -> StateStore:
            self.opened.append(hub.open(tmp_path / f"clone-{next(numbers)}"))
            return Attentive(self.opened[-1])

        return again
