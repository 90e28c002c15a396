"""Why one picture cannot be made: a code of the wire contract and a sentence. It knows nothing of who renders."""

from __future__ import annotations

from pictify_sync.errors import PictifySyncError

INVALID_VARIABLE = "INVALID_VARIABLE"
EXPRESSION_ERROR = "EXPRESSION_ERROR"
IMAGE_FETCH_FAILED = "IMAGE_FETCH_FAILED"
RENDER_TIMEOUT = "RENDER_TIMEOUT"
RENDER_FAILED = "RENDER_FAILED"  # the engine refuses what it was given


class RenderFailed(PictifySyncError):
    """A picture that cannot be made. `code` is one of this module's, `message` says what was wrong with what."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
