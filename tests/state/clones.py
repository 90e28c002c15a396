"""What clones of one ref see."""

from __future__ import annotations

from pathlib import Path

from pictify_sync.state.git.store import GitStateStore
from tests.state.git_remotes import Hub


def same(one: GitStateStore, other: GitStateStore) -> bool:
    """Whether both tell the same of records and open batches."""
    assert list(one.records()) == list(other.records())
    attempts = [
        [(batch.intended, batch.batch_id, batch.doubt) for batch in store.open_batches()] for store in (one, other)
    ]
    return attempts[0] == attempts[1] and one.obsolete() == other.obsolete()


def afresh(hub: Hub, folder: Path, store: GitStateStore) -> None:
    """Another clone, made now, sees what the store sees."""
    with hub.open(folder) as other:
        assert same(store, other)
