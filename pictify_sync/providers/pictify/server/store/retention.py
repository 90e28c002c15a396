"""Forgets batches that ended long ago, and the files that nothing names any more."""

from __future__ import annotations

import time
from pathlib import Path

from pictify_sync.providers.pictify.server.store.database import Store

YOUNG = 3600.0  # seconds for which a file is left alone: somebody may be about to record it

# In this order: what belongs to batches that ended before a time, the batches, then what no batch names any more.
STATEMENTS = (
    "DELETE FROM pictures WHERE batch IN (SELECT number FROM batches WHERE completed < :before)",
    "DELETE FROM items WHERE batch IN (SELECT number FROM batches WHERE completed < :before)",
    "DELETE FROM batches WHERE completed < :before",
    "DELETE FROM answers WHERE at < :before AND json_extract(body, '$.batchId') NOT IN (SELECT id FROM batches)",
    "DELETE FROM sources WHERE digest NOT IN (SELECT source FROM templates UNION SELECT source FROM batches)",
)


def purge(folder: Path, before: float) -> int:
    """Forget the batches of a server's folder that ended before a time (seconds since the epoch).

    Open batches, templates and the meter stay. Returns the number of files removed; safe to repeat, and beside running
    servers.
    """
    store = Store(folder / "emulator.db")
    try:
        with store.write() as db:
            for statement in STATEMENTS:
                db.execute(statement, {"before": before})
        with store.read() as db:
            named = {row[0] for row in db.execute("SELECT DISTINCT file FROM pictures WHERE file IS NOT NULL")}
    finally:
        store.close()
    removed = 0
    young = min(before, time.time() - YOUNG)
    for path in (folder / "files").iterdir():
        if path.name not in named and path.stat().st_mtime < young:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
