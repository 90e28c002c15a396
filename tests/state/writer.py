"""A real process that commits and tells what was acknowledged: python -m tests.state.writer STATE NAME COUNT."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from pictify_sync.core.entries import Recorded
from pictify_sync.core.model import AssetKey
from pictify_sync.errors import Conflict
from pictify_sync.state.sqlite.store import open_store
from tests.state.samples import AT, stored


def main(path: str, name: str, count: str) -> None:
    """Commit `count` records of our own, whoever else does the same."""
    store = open_store(Path(path), create=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in range(int(count)):
        key = AssetKey(f"{name}/n{number}@default")
        entry = Recorded("import", (replace(stored(number), key=key),), (), (), AT)
        while True:
            try:
                serial = store.commit(store.serial(), [entry])
            except Conflict:
                continue
            break
        sys.stdout.write(f"{serial} {key}\n")
        sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
