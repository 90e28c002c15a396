"""Why one picture cannot be made: a cause and a sentence. It knows nothing of who renders."""

from __future__ import annotations

import errno
from enum import StrEnum

from pictify_sync.errors import PictifySyncError


class Cause(StrEnum):
    """What a picture fails of, or a template is refused for."""

    SYNTAX = "syntax"  # not Handlebars, or more of it than is read
    HELPER = "helper"  # a function or block that templates may not use
    RAW_HTML = "raw html"  # a variable put in without escaping that may not be
    VARIABLE = "variable"  # a value that the template does not take
    UNDEFINED = "undefined"  # a name without a value, where that is an error
    EXPRESSION = "expression"  # a call that fails for these values
    LOOP = "loop"  # more turns than are allowed
    IMAGE = "image"  # a picture that cannot be had, or not be decoded
    TIMEOUT = "timeout"
    ENGINE = "engine"  # it refuses the page, or is not there


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
    """A picture that cannot be made. `message` says what was wrong with what."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
