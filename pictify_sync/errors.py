"""Every error that pictify-sync raises on purpose, each with an exit code and a hint.

Errors carry facts (file, line, key, digest); sentences are made in `report/`. An error that is none of these is a bug.

    PictifySyncError                 exit 1
    ├── InputError                   manifests, settings or data are wrong: carries every Problem found
    ├── UsageError                   the command line asks for something that cannot be
    ├── UnsafePlan                   the guard refuses: too many deletes or renders
    ├── StalePlan                    a saved plan no longer fits the state
    ├── NotApproved                  the work exceeds what was approved
    ├── StateError                   the state cannot be read, or is not ours
    │   ├── Conflict                 another run committed first: carries the entries that came since
    │   ├── ForeignState             the state belongs to another project
    │   └── OlderCommit              a newer commit was applied before
    ├── ArtifactError                a file cannot be written, or a path leaves the output root
    │   ├── PicturesElsewhere        the pictures were never on this machine: nothing is known of them
    │   └── StorageUnavailable       object storage cannot be reached, refuses us, or has no such bucket
    ├── DownloadError                bytes that are not the picture that was asked for
    │   └── DownloadRefused          the picture's address may not be read as things are
    ├── ProviderError                the provider refused or cannot be reached
    │   ├── QuotaExhausted           renders used up: never retried
    │   ├── AuthenticationFailed     the key is missing or refused
    │   └── ProviderUnavailable      worth another try later
    ├── BadSignature                 a webhook was not signed with a secret of ours, or too long ago
    ├── GitHubError                  GitHub, or the `gh` or `git` command of a workflow, refused
    └── Interrupted                  Ctrl-C: what was done is recorded
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem matters: an error stops the command, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with the input: where, what, and how to fix it."""

    file: str  # path as the user gave it, relative to the working directory where possible
    line: int  # 1-based; 0 when the whole file is meant
    column: int  # 1-based; 0 when the whole line is meant
    message: str  # what is wrong, without a trailing dot
    hint: str = ""  # how to fix it; "" when the message says it already
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """Give `file:line:column: message; hint`."""
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class PictifySyncError(Exception):
    """The root of the tree. `hint` says what to do next; `exit_code` is the process's."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(PictifySyncError):
    """Manifests, settings or row data are wrong. Carries all problems, sorted by place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class UsageError(PictifySyncError):
    """The command line asks for something that cannot be done."""


class UnsafePlan(PictifySyncError):
    """The guard refuses a plan. `rule` names the threshold, `found` and `limit` are its numbers."""

    def __init__(self, message: str, *, rule: str, found: float, limit: float, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule
        self.found = found
        self.limit = limit


class StalePlan(PictifySyncError):
    """A saved plan no longer fits the state. `keys` are the assets that moved since (at most 20)."""

    def __init__(self, message: str, *, keys: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.keys = tuple(keys)


class NotApproved(PictifySyncError):
    """The work to do exceeds what was approved. `exceeding` lists what is too much."""

    def __init__(self, message: str, *, exceeding: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exceeding = tuple(exceeding)


class StateError(PictifySyncError):
    """The state cannot be read or written, or belongs to a newer format or another lineage."""


class Conflict(StateError):
    """Another run committed first. `serial` is the newest serial; the entries since can be read from the store."""

    def __init__(self, *, expected: int, serial: int) -> None:
        super().__init__(f"the state moved from serial {expected} to {serial}", hint="run the command again")
        self.expected = expected
        self.serial = serial


class ForeignState(StateError):
    """The state belongs to another project: applying this one would remove what that one made."""


class OlderCommit(StateError):
    """A commit that holds the one which is checked out was applied before: applying this one would undo it."""


class ArtifactError(PictifySyncError):
    """A file cannot be written or removed, or its path leaves the output root."""


class PicturesElsewhere(ArtifactError):
    """The pictures were never on this machine: nothing can be said of them here."""


class PlaceChanged(ArtifactError):
    """The settings name another place for pictures, to which an apply does not bring them."""


class StorageUnavailable(ArtifactError):
    """Object storage cannot be reached, refuses us, or has no such bucket: nothing is known of what it holds."""


class DownloadError(PictifySyncError):
    """What came back is not the picture that was asked for (wrong type, size or length)."""


class DownloadRefused(DownloadError):
    """Nothing was read: the settings, or whoever serves the address, do not allow it. The picture may be there."""


class ProviderError(PictifySyncError):
    """The provider refused or answered in a way that no documented dialect allows."""


class QuotaExhausted(ProviderError):
    """Render credits are used up: nothing more is submitted in this run."""


class AuthenticationFailed(ProviderError):
    """The API key is missing or refused."""


class ProviderUnavailable(ProviderError):
    """The provider cannot be reached or answers 5xx; worth another try later."""


class BatchUnaskable(ProviderError):
    """The provider does not take a batch's id in a request, and never will."""


class BadSignature(PictifySyncError):
    """A webhook was not signed with a secret of ours, or too long ago."""


class GitHubError(PictifySyncError):
    """GitHub, or the `gh` or `git` command that a workflow talks to it with, refused or cannot be reached."""


class Interrupted(PictifySyncError):
    """The user asked to stop. Everything done so far is recorded."""
