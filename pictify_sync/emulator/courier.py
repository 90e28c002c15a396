"""The thread that sends queued webhooks, and sends again by the documented schedule on the server's clock.

At least once: what was sent when the server died is sent again with the same delivery id. One process of a folder
sends, the one that holds the lock. It knows neither batches nor routes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pictify_sync.emulator.options import Post
from pictify_sync.emulator.posting import signature
from pictify_sync.emulator.store import Store

RETRIES = (60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)  # seconds until the next attempt (Pictify, Webhooks: Delivery)
LOOK_AGAIN = 0.25  # seconds: the clock may have been moved
SOONEST = (
    "SELECT d.*, s.event, s.target, s.secret FROM deliveries d JOIN subscriptions s ON s.uid = d.subscription "
    "WHERE d.due<=? AND s.status='active' ORDER BY d.due, d.number LIMIT 1"
)


class Courier:
    """Sends what is due in a store until `close`. The thread starts with the first `wake`."""

    def __init__(self, store: Store, lock: Path, post: Post, now: Callable[[], float]) -> None:
        self._store = store
        self._lock = FileLock(lock, thread_local=False)
        self._post = post
        self._now = now
        self._news = threading.Event()
        self._closing = threading.Event()
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def wake(self) -> None:
        """Say that something may be due."""
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
                self._thread.start()
        self._news.set()

    def waiting(self) -> int:
        """How many deliveries are queued, due or not."""
        with self._store.read() as db:
            return int(db.execute("SELECT count(*) FROM deliveries").fetchone()[0])

    def _run(self) -> None:
        while not self._closing.is_set():
            self._news.clear()
            try:
                sent = self.send_due()
                left = self.waiting()
            except sqlite3.Error:  # the folder is closed, or busy beyond patience: look again later
                sent, left = 0, 1
            if not sent:
                self._news.wait(LOOK_AGAIN if left else None)

    def send_due(self) -> int:
        """Send all that is due now, in order; gives how many attempts were made."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return 0
        try:
            count = 0
            with self._sending:
                while not self._closing.is_set() and self._send_one():
                    count += 1
            return count
        finally:
            self._lock.release()

    def _send_one(self) -> bool:
        with self._store.read() as db:
            row = db.execute(SOONEST, (self._now(),)).fetchone()
        if row is None:
            return False
        body, at = row["body"].encode(), self._now()
        headers = {"Content-Type": "application/json", "User-Agent": "Pictify-Webhooks/1.0"}
        headers |= {"X-Pictify-Event": row["event"], "X-Pictify-Delivery-Id": row["id"]}
        headers["X-Pictify-Signature"] = signature(row["secret"], int(at), body)
        try:
            taken = 200 <= self._post(row["target"], body, headers) < 300
        except (OSError, ValueError):
            taken = False
        with self._store.write() as db:
            self._settle(db, row, at, taken=taken)
        return True

    def _settle(self, db: sqlite3.Connection, row: sqlite3.Row, at: float, *, taken: bool) -> None:
        """Record an attempt that began at that time."""
        uid = row["subscription"]
        if taken:
            db.execute("DELETE FROM deliveries WHERE number=?", (row["number"],))
            db.execute("UPDATE subscriptions SET delivered=delivered+1, last=? WHERE uid=?", (at, uid))
            return
        db.execute("UPDATE subscriptions SET failures=failures+1, last=? WHERE uid=?", (at, uid))
        if row["attempts"] < len(RETRIES):
            due = at + RETRIES[row["attempts"]]
            change = "UPDATE deliveries SET due=?, attempts=attempts+1 WHERE number=?"
            db.execute(change, (due, row["number"]))
            return
        # All documented attempts failed: the subscription is paused, and what else it was to be told is lost.
        db.execute("DELETE FROM deliveries WHERE subscription=?", (uid,))
        db.execute("UPDATE subscriptions SET status='paused' WHERE uid=?", (uid,))

    def close(self) -> None:
        """Stop after the delivery that is under way."""
        self._closing.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout=60)
        with suppress(OSError):
            self._lock.release(force=True)
