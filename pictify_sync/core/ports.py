"""Every seam to the outside, as a Protocol. Adapters implement them; `wiring` chooses; tests pass working fakes.

A port's docstring is its contract: each has one conformance suite in `tests/` that every adapter passes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pictify_sync.core.entries import (
    Applied,
    Entry,
    FileMove,
    Intended,
    Ledger,
    MovesIntended,
    Obsolete,
    OpenBatch,
    Probed,
    ProjectIdentity,
)
from pictify_sync.core.events import Event
from pictify_sync.core.model import Artifact, Asset, AssetKey, Capabilities, Fingerprint, Record
from pictify_sync.core.outcomes import BatchReport, BatchRequest, Submission
from pictify_sync.core.template import TemplateRecord, TemplateSource
from pictify_sync.errors import Problem


class Clock(Protocol):
    """Time as an argument. `now` dates what is written down; waits and deadlines are measured by `monotonic`."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. It jumps when somebody sets the machine's clock."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment of this process's choice; only ever goes forward."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns early only by raising."""
        ...


EventSink = Callable[[Event], None]


class Desired(Protocol):
    """What the manifests ask for. Iterating streams the assets sorted by key; it may be done many times."""

    @property
    def manifests(self) -> Sequence[str]:
        """Names of the manifests in scope, sorted."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the scope is the whole configured root, so that vanished manifests may be deleted."""
        ...

    @property
    def templates(self) -> Sequence[TemplateSource]:
        """Declared templates that an asset in scope uses, sorted by name."""
        ...

    def __iter__(self) -> Iterator[Asset]: ...

    def __len__(self) -> int: ...

    def get(self, key: AssetKey) -> Asset | None:
        """The asset of that key, or None when it is not desired."""
        ...


class Payloads(Protocol):
    """Turns kept variables into what a provider is sent."""

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        """Inline local pictures (verified by sha256) and put sensitive values back.

        Raises InputError when a picture changed since, or a sensitive value is no longer in the manifests.
        A picture that does not exist is left as its path, so that its item fails and no other.
        """
        ...


class StateStore(Protocol):
    """Records and log. All reads see one committed serial; `commit` is atomic and durable."""

    lineage: str  # fixed at creation

    def serial(self) -> int:
        """Number of the newest entry; 0 when there is none."""
        ...

    def records(self, prefix: str = "") -> Iterator[Record]:
        """Records whose key starts with prefix, sorted by key bytes, streamed."""
        ...

    def record(self, key: AssetKey) -> Record | None: ...

    def count(self) -> int:
        """Number of records."""
        ...

    def find(self, fingerprint: Fingerprint) -> Record | None:
        """A record with a published artifact of that fingerprint, untainted and without drift; the first by key."""
        ...

    def owners(self, path: str) -> tuple[AssetKey, ...]:
        """Keys of the records whose artifact is published at path."""
        ...

    def variables(self, digest: str) -> str | None:
        """Canonical JSON of a variable set, None when only its digest is kept."""
        ...

    def templates(self) -> tuple[TemplateRecord, ...]: ...

    def probes(self) -> tuple[Probed, ...]:
        """The newest live check with facts of each provider and service, sorted by them."""
        ...

    def open_batches(self) -> tuple[OpenBatch, ...]:
        """Sorted by serial."""
        ...

    def submitted_as(self, batch_id: str) -> tuple[Intended, ...]:
        """Attempts that were answered with this batch id, whether open or ended, in no order."""
        ...

    def pending_moves(self) -> MovesIntended | None: ...

    def obsolete(self) -> tuple[Obsolete, ...]:
        """Files still to be removed, sorted by path."""
        ...

    def entries(self, after: int = 0) -> Iterator[tuple[int, str, Entry]]:
        """(serial, ISO time, entry) of everything after a serial, in order."""
        ...

    def project(self) -> ProjectIdentity | None:
        """The project that the state belongs to; None: nobody's yet."""
        ...

    def applied(self) -> Applied | None:
        """The newest apply of a known commit."""
        ...

    def ledger(self) -> Ledger:
        """Sums over everything that was ever billed, or may have been."""
        ...

    def sensitive_key(self) -> bytes:
        """Random per lineage; in no snapshot, plan or report."""
        ...

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        """Append a contiguous run right after `after_serial` and fold it in; returns the new serial once durable.

        Raises Conflict, having written nothing, when the newest serial is another.
        """
        ...

    def sync(self) -> Sequence[Entry]:
        """Have everything where other runs see it, and learn what they committed.

        Gives committed entries that could not follow what others wrote first and are no part of the log, each once.
        Raises StateError when the place that runs share cannot be reached.
        """
        ...

    def pinned(self) -> AbstractContextManager[object]:
        """Within it all reads see one serial, whatever is committed meanwhile."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Expectation:
    """What downloaded bytes must be before they are published."""

    format: str  # name of a format
    width: int | None  # pixels; None: any
    height: int | None
    made_as: str = ""  # sha256 that they had when this process made them: those bytes are whole; "": not known


@dataclass(frozen=True, slots=True)
class Staged:
    """Verified bytes, not published yet. Content-addressed, so staging twice is harmless."""

    sha256: str
    size: int


class ArtifactStore(Protocol):
    """Published files below one root. Every method is safe to repeat after a crash."""

    def stage(self, chunks: Iterable[bytes], expect: Expectation) -> Staged:
        """Write to a temporary file, verify type and size, keep by sha256. Raises DownloadError, leaving nothing."""
        ...

    def publish(self, staged: Staged, paths: Sequence[str]) -> tuple[Artifact, ...]:
        """Put staged bytes at each path by atomic rename, durably; the staged copy is gone afterwards."""
        ...

    def foreign_file(self, path: str, is_ours: Callable[[str], bool]) -> str | None:
        """The sha256 of what lies at path and is not ours ("" of no plain file); None: nothing does."""
        ...

    def move_aside(self, path: str, sha256: str) -> str | None:
        """Give a foreign file another name, before a picture takes its path; its new path, None when it is gone."""
        ...

    def move(self, moves: Sequence[FileMove], keep: Callable[[str], bool]) -> tuple[FileMove, ...]:
        """Carry files, cycles too; resumable. Gives the moves whose bytes were nowhere. `keep`: old paths to stay."""
        ...

    def remove(self, obsolete: Obsolete) -> bool:
        """Remove the file if its bytes are still those; True when it is gone or never was, False when left alone."""
        ...

    def check(self, artifact: Artifact) -> str:
        """'present', 'missing' or 'changed' (size first, then sha256)."""
        ...

    def sweep(self) -> None:
        """Drop what is staged and no longer needed."""
        ...


class ReadableStore(ArtifactStore, Protocol):
    """A store whose published files can be read."""

    def chunks(self, artifact: Artifact) -> Iterator[bytes]:
        """The bytes of a published file, in parts."""
        ...


class Provider(Protocol):
    """One rendering service. Never retries a call that creates work; errors carry no secret."""

    name: str

    def capabilities(self) -> Capabilities: ...

    def push_template(self, source: TemplateSource, uid: str | None) -> str:
        """Create the template, or update the one of that uid; returns the uid. Safe to repeat."""
        ...

    def observe_template(self, uid: str) -> TemplateRecord | None:
        """What the provider holds under uid; None when it is unknown there."""
        ...

    def submit(self, request: BatchRequest) -> Submission:
        """Send the POST at most once and classify what came back. Never raises for what the provider answers."""
        ...

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        """Ask for the results once (safe calls are retried). Raises ProviderUnavailable when nothing came back."""
        ...

    def download(self, url: str) -> Iterator[bytes]:
        """Stream the bytes at a result's URL. Raises DownloadError or ProviderUnavailable."""
        ...

    def cancel(self, batch_id: str) -> None:
        """Ask for cancellation: a request, not a fact. Keep polling."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery whose signature was right. A hint: what it says is checked before it counts."""

    id: str  # the provider's delivery id, else one made of the body
    received_at: float  # epoch seconds, of the receiver
    body: str  # what is kept of what was signed


class Inbox(Protocol):
    """Accepted webhook deliveries, each once."""

    def deliveries(self, since: float = 0.0) -> Iterator[Delivery]:
        """Those received since then (epoch seconds), streamed in an order that depends on their ids alone.

        Earlier ones may be among them. Raises ProviderUnavailable, StateError.
        """
        ...

    def remove(self, ids: Collection[str]) -> None:
        """Remove deliveries that were folded in; one that is not there is no error. Raises likewise."""
        ...

    def close(self) -> None: ...


class TemplateFacts(Protocol):
    """What reading a template's html tells, without rendering it."""

    @property
    def variables(self) -> Sequence[str]:
        """Root names that the Handlebars text uses, sorted."""
        ...

    @property
    def families(self) -> Sequence[str]:
        """Font families that its css names, generic ones left out, in order of appearance."""
        ...

    @property
    def files(self) -> Sequence[str]:
        """Local files that html and css name (relative references), in order of appearance."""
        ...

    @property
    def problems(self) -> Sequence[Problem]:
        """Bad Handlebars, unknown helpers (errors), css that the embedded engine lacks (warnings); file is ""."""
        ...


class TemplateInspector(Protocol):
    """Reads templates and fonts for `validate` and `plan`; imports no engine."""

    def inspect(self, html: str) -> TemplateFacts: ...

    def inline(self, html: str, read: Callable[[str], bytes | None]) -> str:
        """Put the local files that html names into it; `read` gives None for a missing file (left as named)."""
        ...

    def missing_glyphs(self, text: str, families: Sequence[str]) -> str:
        """Characters of the text that none of the fonts can draw, sorted, each once."""
        ...
