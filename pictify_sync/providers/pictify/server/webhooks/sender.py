"""Sends queued webhooks by HTTP, signed, and sends again by the documented schedule on the server's clock.

At least once: what was sent when the server died is sent again with the same delivery id. Each subscription gets its
deliveries one after the other, so that a receiver that does not answer holds up nobody else. One process of a folder
sends, the one that holds the lock. It knows neither batches nor routes.

Targets are public https addresses, and redirects are not followed: a host name is resolved once, every address must be
public, and the connection goes to the address that was checked. Only a server that itself listens on loopback may also
call http on loopback.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pictify_sync.addresses import Resolve, public, resolve

if TYPE_CHECKING:
    import httpx

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

SECONDS = 30.0  # that a receiver has (Pictify, Webhooks: Delivery)


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the value of X-Pictify-Signature: HMAC-SHA256 over `<seconds>.<body>` (Pictify, Webhooks: Security)."""
    found = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={found.hexdigest()}"


def on_loopback(host: str) -> bool:
    """Whether a host is this machine by name or number."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class WebhookClient:
    """Posts to one target after the other. `loopback`: http on loopback is allowed."""

    def __init__(
        self, *, loopback: bool, resolve: Resolve = resolve, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._transport = transport
        self._client: httpx.Client | None = None

    def check(self, url: str) -> None:
        """Raise ValueError for a target that will never be called, as far as its text tells."""
        try:
            found = urlsplit(url)
            host, port = found.hostname or "", found.port
        except ValueError:
            raise ValueError("not a URL") from None
        if not host or found.username is not None or any(one <= " " or one == "\x7f" for one in url):
            raise ValueError("not a plain URL")
        if self._loopback and found.scheme == "http" and on_loopback(host):
            return
        if found.scheme != "https":
            raise ValueError("only https targets are called")
        if on_loopback(host) or port == 0:
            raise ValueError("the target is not public")
        try:
            literal = str(ipaddress.ip_address(host))
        except ValueError:
            return
        if not public(literal):
            raise ValueError("the target is not public")

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], /) -> int:
        """Send and return the status. Raises ValueError for a target that is not allowed, OSError without an answer."""
        import httpx  # noqa: PLC0415 - a server without subscriptions does without

        self.check(url)
        try:
            target = httpx.URL(url)
            pinned = target if on_loopback(target.host) else target.copy_with(host=self._address(target.host))
            named = {**headers, "Host": target.netloc.decode("ascii")}
            how = {} if on_loopback(target.host) else {"sni_hostname": target.host}
            with self._opened().stream("POST", pinned, content=body, headers=named, extensions=how) as response:
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(f"no answer: {type(error).__name__}") from None

    def _address(self, host: str) -> str:
        found = self._resolve(host)
        if not found or not all(map(public, found)):
            raise ValueError(f"{host} has an address that is not public")
        return found[0]

    def _opened(self) -> httpx.Client:
        if self._client is None:
            import httpx  # noqa: PLC0415

            from pictify_sync.clients import direct_client  # noqa: PLC0415

            timeout = httpx.Timeout(SECONDS, connect=10.0)
            self._client = direct_client(transport=self._transport, timeout=timeout)
        self._client.cookies.clear()
        return self._client

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()


DAY = 86_400.0
RETRIES = (60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)  # seconds until the next attempt (Pictify, Webhooks: Delivery)
LONGEST = (DAY, *RETRIES)  # that one may lie ahead after so many attempts; beyond, the clock was set back since
LOOK_AGAIN = 0.25  # seconds: the clock may have been moved
LANES = 8  # subscriptions that are sent to at the same time
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
        # All documented attempts failed: the subscription is paused, and its other deliveries are lost.
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
