"""Bodies of HTTP answers as they were meant, unpacked piece by piece: a bomb never has more than one piece in memory.

Below both the client and the embedded server. Nobody asks for compressed bodies (`PLAIN` says so); who sends one all
the same gets it unpacked within the limits of the reader.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

PLAIN = {"Accept-Encoding": "identity"}  # a header of requests
PIECE = 256 * 1024  # bytes that are unpacked at once
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # of zlib; RFC 9110, 8.4.1
_MEMBER = b"\x1f\x8b"  # begins a member of a gzip file, of which there may be several


def body(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body of an answer that was opened as a stream, in pieces of at most `PIECE` bytes or as they came.

    Raises ValueError: packed in a way that is not known, or broken; httpx.RequestError.
    """
    if response.is_stream_consumed:  # read already
        yield response.content
        return
    names = [one.strip().lower() for one in response.headers.get("content-encoding", "").split(",")]
    names = [one for one in names if one not in ("", "identity")]
    if not names:
        yield from response.iter_raw()
    elif len(names) == 1 and names[0] in _WINDOWS:
        yield from _unpacked(response.iter_raw(), _WINDOWS[names[0]])
    else:
        raise ValueError(f"it is compressed ({', '.join(names)[:100]}), which was not asked for")


def _unpacked(pieces: Iterator[bytes], window: int) -> Iterator[bytes]:
    decoder = zlib.decompressobj(window)
    try:
        for piece in pieces:
            left = piece
            while left:
                if decoder.eof:
                    if window != _WINDOWS["gzip"] or not left.startswith(_MEMBER):
                        return
                    decoder = zlib.decompressobj(window)
                yield decoder.decompress(left, PIECE)
                left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        while not decoder.eof and (rest := decoder.decompress(b"", PIECE)):
            yield rest
    except zlib.error as error:
        raise ValueError(f"its compressed form is broken: {error}") from None
    if not decoder.eof:
        raise ValueError("its compressed form ends early")
