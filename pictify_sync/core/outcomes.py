"""What a provider answers, in one vocabulary: the result of a submit, of a poll, and of one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Everything one POST needs."""

    template_uid: str
    variable_sets: Sequence[
        Mapping[str, object]
    ]  # JSON values, local pictures inlined, sensitive values in clear; by item index
    layouts: tuple[str, ...]
    format: str
    options: str  # canonical JSON, as in the spec
    idempotency_key: str  # always sent; relied on only where the capabilities say so
    sensitive: frozenset[str] = frozenset()  # names of variables whose values stand in no message


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the batch under an id."""

    batch_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider took nothing, for certain."""

    code: str  # provider's code, else the HTTP status
    message: str
    retry_after: float | None = (
        None  # seconds to wait before the same batch may be sent again; None: do not send it again
    )
    stops_run: bool = False  # True: no other batch would fare better (quota, authentication)
    template_missing: bool = False  # True: the template uid is not known there


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left: the same attempt may be sent again."""

    detail: str


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Nobody can tell whether the provider took it (5xx, timeout, reset, an answer without a batch id)."""

    detail: str


Submission = Accepted | Refused | NotSent | InDoubt


class BatchStatus(StrEnum):
    """Pictify, Batch Operations. A word that is none of these is OPEN."""

    OPEN = "open"  # pending, processing, or a word we do not know
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = (
        "expired"  # 404 or 410 after it was known: results kept 7 days (Pictify, Batch Operations, Best practices)
    )


@dataclass(frozen=True, slots=True)
class Rendered:
    """One picture that the provider made."""

    url: str | None  # None: not known yet
    width: int | None = None  # pixels, None when not told
    height: int | None = None
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """One picture that the provider could not make."""

    code: str
    message: str


Outcome = Rendered | Failed


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One poll. `outcomes` may be partial while the batch is open."""

    status: BatchStatus
    outcomes: Mapping[tuple[int, str], Outcome]  # (item index, layout)
    done: int = 0  # items finished, as the provider counts
    retry_after: float | None = None  # seconds the provider asks us to wait before the next poll
    odd: str = ""  # how a finished batch contradicts itself; "": it adds up
