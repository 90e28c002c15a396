"""The log: everything durable is one of these entries, and records are a fold of them.

An entry carries its own effect on the records, so folding needs no knowledge of how it came about.
Every type here is plain data that a store can write as JSON and read back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pictify_sync.core.model import AssetKey, Batch, Fingerprint, Record, RenderSpec
from pictify_sync.core.template import TemplateRecord


@dataclass(frozen=True, slots=True)
class Obsolete:
    """A published file that no record needs any more, to be removed if its bytes are still these."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What an intended batch promises to one asset."""

    key: AssetKey
    index: int  # item of the batch
    layout: str
    fingerprint: Fingerprint
    output: str  # path to publish at
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Intended:
    """A batch is about to be submitted. Durable before the POST leaves."""

    attempt: str  # unique id; the idempotency key is derived from it
    batch: Batch
    specs: tuple[RenderSpec, ...]  # one per layout, sorted by it
    variables: tuple[str, ...]  # canonical JSON per item, "" when only the digest is kept
    claims: tuple[Claim, ...]
    template_uid: str
    at: str  # ISO 8601 UTC
    run: str  # id of the run that intends it
    instance: str = ""  # of the server that holds it, where each has its own folder; "": one that all runs share
    service: str = ""  # where the account is that holds it, without user and query; "": embedded, or an older entry
    kind: Literal["intended"] = "intended"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The provider took the batch."""

    attempt: str
    batch_id: str
    at: str
    kind: Literal["submitted"] = "submitted"


@dataclass(frozen=True, slots=True)
class Doubted:
    """The answer to the POST was lost: the batch is in doubt."""

    attempt: str
    detail: str
    at: str
    kind: Literal["doubted"] = "doubted"


@dataclass(frozen=True, slots=True)
class Settled:
    """Every claim of the batch has its outcome; `puts` are the records after it."""

    attempt: str
    status: str  # BatchStatus word, or "refused"
    puts: tuple[Record, ...]
    obsolete: tuple[Obsolete, ...]
    billed_min: int  # pictures certainly billed
    billed_max: int  # pictures possibly billed
    at: str
    kind: Literal["settled"] = "settled"


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The batch is given up: its claims are free again. `puts` record nothing but failures, if any."""

    attempt: str
    detail: str
    billed_min: int
    billed_max: int
    at: str
    kind: Literal["abandoned"] = "abandoned"


@dataclass(frozen=True, slots=True)
class FileMove:
    """One published file that goes, or is copied, to another path without a render."""

    key: AssetKey  # the asset that will own the new path
    sha256: str
    old_path: str
    new_path: str


@dataclass(frozen=True, slots=True)
class MovesIntended:
    """Files are about to be renamed or copied; finished first by the next apply after a crash."""

    moves: tuple[FileMove, ...]
    puts: tuple[Record, ...]  # the records once the files are in place
    removes: tuple[AssetKey, ...]
    obsolete: tuple[Obsolete, ...]
    at: str
    place: str = ""  # id of the folder whose files these are; "": all runs share it
    kind: Literal["moves_intended"] = "moves_intended"


@dataclass(frozen=True, slots=True)
class Moved:
    """The files of the newest MovesIntended are in place: `puts` and `removes` take effect."""

    puts: tuple[Record, ...]
    removes: tuple[AssetKey, ...]
    obsolete: tuple[Obsolete, ...]
    at: str
    kind: Literal["moved"] = "moved"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Records changed by a decision of the user or by what a refresh observed."""

    why: str  # delete, taint, rm, mv, import, refresh, settings
    puts: tuple[Record, ...]
    removes: tuple[AssetKey, ...]
    obsolete: tuple[Obsolete, ...]
    at: str
    variables: tuple[tuple[str, str], ...] = field(default=())  # (digest, canonical JSON) that came with an import
    kind: Literal["recorded"] = "recorded"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Obsolete files are gone (or were left because they had changed)."""

    paths: tuple[Obsolete, ...]
    at: str
    kind: Literal["cleaned"] = "cleaned"


@dataclass(frozen=True, slots=True)
class TemplateRecorded:
    """A template was pushed or observed."""

    record: TemplateRecord
    at: str
    kind: Literal["template"] = "template"


@dataclass(frozen=True, slots=True)
class DialectFacts:
    """What a live check found out about a service; None: it could not be told."""

    results: str  # shape of batch results: nested, names, flat, legacy, dashboard; "": none of these
    urls_in_results: bool
    names_layouts: bool | None = None  # each picture in the results names its layout
    honours_idempotency_key: bool | None = None  # the same POST twice was rendered once
    takes_unknown_variables: bool | None = None  # a variable that the template does not declare is no error
    look_up: bool | None = None  # past renders are listed
    look_up_tells_variables: bool | None = None  # ... each with the variables that went into it


@dataclass(frozen=True, slots=True)
class Probed:
    """A live check of a service: durable before its first render, without facts, and once more at its end."""

    run: str  # id of the check
    provider: str
    service: str  # base URL without user, query and slash at the end; "" where a provider has none
    facts: DialectFacts | None  # None: not finished, or nothing was found out
    billed_min: int  # pictures certainly billed
    billed_max: int  # pictures possibly billed
    at: str
    kind: Literal["probed"] = "probed"


@dataclass(frozen=True, slots=True)
class PastCosts:
    """What attempts and live checks cost of which nothing else is left: the log was cut, or the state imported."""

    attempts: int
    billed_min: int  # pictures certainly billed
    billed_max: int  # pictures possibly billed
    at: str
    kind: Literal["spent"] = "spent"


@dataclass(frozen=True, slots=True)
class ProjectIdentity:
    """What tells a project from others that could name the same state; equal for all clones of it."""

    name: str  # the setting of that name; "" when there is none
    folder: str  # of the project: from its Git root, else see `wiring/identity.py`
    manifests: str  # their folder, from the project's
    path: str = ""  # of the project, from the folder of the state's file; a digest of it when the state is no file
    repository: str = ""  # host and path of its remote `origin`; "" when not known
    roots: tuple[str, ...] = ()  # first commits of its history, sorted; none when not known, as in a shallow clone
    place: str = ""  # where its pictures are kept (see `wiring/place.py`), tells no project; "" when not known
    scattered: tuple[str, ...] = ()  # other places: some pictures are there still, since a move was not finished


@dataclass(frozen=True, slots=True)
class Bound:
    """The state belongs to this project."""

    project: ProjectIdentity
    at: str
    kind: Literal["bound"] = "bound"


@dataclass(frozen=True, slots=True)
class Applied:
    """An apply began to carry out what the manifests of a Git commit ask for."""

    commit: str  # its id
    run: str  # id of the run
    at: str
    kind: Literal["applied"] = "applied"


Entry = (
    Intended
    | Submitted
    | Doubted
    | Settled
    | Abandoned
    | MovesIntended
    | Moved
    | Recorded
    | Cleaned
    | TemplateRecorded
    | Probed
    | PastCosts
    | Bound
    | Applied
)


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """The fold of one attempt that is neither settled nor abandoned."""

    intended: Intended
    serial: int  # of the Intended entry
    batch_id: str | None  # None: in doubt
    submitted_at: str | None
    doubt: str | None  # why it is in doubt, when the answer was lost rather than the process


def claimed_keys(opened: Iterable[OpenBatch]) -> frozenset[AssetKey]:
    """Return the keys of all pictures in open batches."""
    return frozenset(claim.key for one in opened for claim in one.intended.claims)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What all attempts and live checks have cost, in pictures."""

    attempts: int  # ever intended
    open: int  # of these neither settled nor abandoned
    open_pictures: int  # that the open ones may still be billed
    billed_min: int  # certainly billed by the closed ones and by live checks
    billed_max: int  # possibly billed by these
