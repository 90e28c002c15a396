"""Why one picture cannot be made: a code of the wire contract and a sentence. It knows nothing of who renders."""

from __future__ import annotations

import errno

from pictify_sync.errors import PictifySyncError

INVALID_VARIABLE = "INVALID_VARIABLE"
EXPRESSION_ERROR = "EXPRESSION_ERROR"
IMAGE_FETCH_FAILED = "IMAGE_FETCH_FAILED"
RENDER_TIMEOUT = "RENDER_TIMEOUT"
RENDER_FAILED = "RENDER_FAILED"  # the engine refuses what it was given


# What the machine lacks, whatever picture it is: another one would fare no better, and the same one will, later.
_OF_THE_MACHINE = frozenset(
    getattr(errno, name, -1)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", "EIO", "ENOMEM", "EFBIG", "ESTALE")
)


def of_the_machine(error: BaseException) -> str:
    """Return what the machine lacks, "" when an error is another one: a full disk is no failure of a picture."""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "the system starts no more threads for this process"
    if not isinstance(error, OSError) or error.errno not in _OF_THE_MACHINE:
        return ""
    where = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"{where}{(error.strerror or str(error)).lower()}"


class RenderFailed(PictifySyncError):
    """A picture that cannot be made. `code` is one of this module's, `message` says what was wrong with what."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
