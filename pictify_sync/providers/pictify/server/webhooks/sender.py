"""The thread that sends queued webhooks, and sends again by the documented schedule on the server's clock.

At least once: what was sent when the server died is sent again with the same delivery id. Each subscription gets its
deliveries one after the other, so that a receiver that does not answer holds up nobody else. One process of a folder
sends, the one that holds the lock. It knows neither batches nor routes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pictify_sync.providers.pictify.server.options import Post
from pictify_sync.providers.pictify.server.store.database import Store
from pictify_sync.providers.pictify.server.webhooks.post import signature

DAY = 86_400.0
RETRIES = (60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)  # seconds until the next attempt (Pictify, Webhooks: Delivery)
LONGEST = (DAY, *RETRIES)  # that one may lie ahead after so many attempts; beyond, the clock was set back since
LOOK_AGAIN = 0.25  # seconds: the clock may have been moved
LANES = 8  # subscriptions that are told something at the same time
SOONEST = (
    "SELECT d.*, s.event, s.target, s.secret FROM deliveries d JOIN subscriptions s ON s.uid = d.subscription "
    "WHERE (d.due<=:now OR d.due>:now + json_extract(:longest, '$[' || d.attempts || ']')) "
    "AND s.status='active' AND s.uid NOT IN (SELECT value FROM json_each(:busy)) "
    "ORDER BY d.due, d.number LIMIT 1"
)


class WebhookSender:
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
        """Wake the thread: something may be due."""
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
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
        """Send all that is due now, in order and return how many attempts were made."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return 0
        try:
            with self._sending, ThreadPoolExecutor(LANES, "webhooks") as lanes:
                return self._drain(lanes)
        finally:
            self._lock.release()

    def _drain(self, lanes: Executor) -> int:
        count = 0
        busy: dict[Future[bool], tuple[sqlite3.Row, float]] = {}
        while True:
            while len(busy) < LANES and (row := self._next([one["subscription"] for one, _ in busy.values()])):
                at = self._now()
                busy[lanes.submit(self._send, row, at)] = (row, at)
                count += 1
            if not busy:
                return count
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                row, at = busy.pop(future)
                with self._store.write() as db:
                    self._settle(db, row, at, taken=future.result())

    def _next(self, busy: Sequence[str]) -> sqlite3.Row | None:
        """Return the next delivery that is due, of a subscription that is not busy."""
        if self._closing.is_set():
            return None
        with self._store.read() as db:
            about = {"now": self._now(), "longest": json.dumps(LONGEST), "busy": json.dumps(busy)}
            row: sqlite3.Row | None = db.execute(SOONEST, about).fetchone()
        return row

    def _send(self, row: sqlite3.Row, at: float) -> bool:
        """Sign and send one delivery and return whether it was taken."""
        body = row["body"].encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Pictify-Webhooks/1.0"}
        headers |= {"X-Pictify-Event": row["event"], "X-Pictify-Delivery-Id": row["id"]}
        headers["X-Pictify-Signature"] = signature(row["secret"], int(at), body)
        try:
            return 200 <= self._post(row["target"], body, headers) < 300
        except (OSError, ValueError):
            return False

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
