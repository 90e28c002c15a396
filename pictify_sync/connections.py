"""Connections that send nothing, or byte by byte, held in bounds: by time, and by number, the longest waiting first.

waitress counts a connection as busy with every byte, and takes no more once it has a hundred. Here a request has a time
to be complete in, and when many are open, those that wait longest make way. Must not know what is served.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any

MOST = 400  # connections, where the system allows as many descriptors
SPARE = 64  # descriptors for everything else
LEAST = 16  # connections, however few descriptors there are
SILENT = 60.0  # seconds without a byte, also while an answer is taken


def most_connections() -> int:
    """How many connections may be open at once."""
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(LEAST, min(MOST, (soft - SPARE) // 2))


def server_limits() -> dict[str, Any]:
    """Give what waitress is told; what it has to say of connections that break is no news."""
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    return {"connection_limit": most_connections(), "channel_timeout": int(SILENT), "cleanup_interval": 5}


class Watch:
    """Looks after the connections of one server. Call it in the thread of its loop."""

    def __init__(self, server: Any, *, head: float, body: float) -> None:
        """`head`, `body`: seconds until the head of a request has come, and all of it."""
        self._server = server
        self._head, self._body = head, body
        self._since: dict[int, float] = {}  # connection -> since when it has been waited for (monotonic seconds)
        self._room = max(1, most_connections() * 3 // 4)

    def __call__(self) -> None:
        now = time.monotonic()
        waiting = {number: one for number, one in list(self._server.active_channels.items()) if _is_waited_for(one)}
        self._since = {number: self._since.get(number, now) for number in waiting}
        for number, channel in waiting.items():
            begun = channel.request is not None and channel.request.headers_finished
            if now - self._since[number] > (self._body if begun else self._head):
                channel.will_close = True
        self._make_room(waiting)

    def _make_room(self, waiting: dict[int, Any]) -> None:
        """Close those that wait longest, of whoever has most, until there is room for others."""
        over = len(self._server.active_channels) - self._room
        if over <= 0:
            return
        peers = Counter(_peer(one) for one in waiting.values())
        for number in sorted(waiting, key=lambda one: (-peers[_peer(waiting[one])], self._since[one]))[:over]:
            waiting[number].will_close = True


def _is_waited_for(channel: Any) -> bool:
    return not channel.requests and not channel.total_outbufs_len and not channel.will_close


def _peer(channel: Any) -> str:
    address = channel.addr
    return str(address[0]) if isinstance(address, tuple) and address else str(address)
