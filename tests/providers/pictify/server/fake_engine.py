"""A small working engine for tests of the server: real PNG headers, no fonts; variables tell it how to misbehave."""

from __future__ import annotations

import os
import re
import signal
import struct
import time
import zlib
from pathlib import Path
from typing import Any

from pictify_sync.rendering.failure import Cause, RenderFailed


def _block(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, text: str) -> bytes:
    """A valid grey PNG that carries a text."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height, 1)
    parts = ((b"IHDR", header), (b"tEXt", b"said\0" + text.encode()), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_block(*one) for one in parts)


def filled(html: str, variables: Any) -> str:
    """The html with its names replaced."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: str(variables.get(found.group(1), "")), html)


class FakeRenderer:
    """Draws nothing, but says what it was given. `log` (a folder) gets a file per render, whoever renders."""

    def __init__(self, log: str = "", delay: float = 0.0) -> None:
        self.log = log
        self.delay = delay

    def render(self, page: Any) -> bytes:
        variables = page.variables
        said = filled(page.html, variables)
        match variables.get("do"):
            case "hang":
                time.sleep(60)
            case "spin":
                while True:
                    pass
            case "fail":
                raise RenderFailed(Cause.IMAGE, "no such picture")
            case "bug":
                raise ZeroDivisionError("a bug")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "die once" if self.log and not (mark := Path(self.log, "died")).exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(variables.get("seconds", self.delay))
        data = png(page.width, page.height, said)
        if self.log:
            Path(self.log, f"{time.time_ns()}-{os.getpid()}").write_text(said)
        return data
