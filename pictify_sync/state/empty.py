"""The state before there is one: every plan may read it, nothing can be written to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_bytes

from pictify_sync.core.entries import (
    Applied,
    Entry,
    Intended,
    Ledger,
    MovesIntended,
    Obsolete,
    OpenBatch,
    Probed,
    ProjectIdentity,
)
from pictify_sync.core.model import AssetKey, Fingerprint, Record
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import StateError


class EmptyStateStore:
    """A StateStore without a file: lineage "", serial 0, nothing recorded."""

    lineage = ""

    def __init__(self, sensitive_key: bytes | None = None) -> None:
        # without one, a key for this process alone: nothing sensitive is recorded yet
        self._key = token_bytes(32) if sensitive_key is None else sensitive_key

    def serial(self) -> int:
        return 0

    def records(self, prefix: str = "") -> Iterator[Record]:  # noqa: ARG002
        return iter(())

    def record(self, key: AssetKey) -> Record | None:  # noqa: ARG002
        return None

    def count(self) -> int:
        return 0

    def find(self, fingerprint: Fingerprint) -> Record | None:  # noqa: ARG002
        return None

    def owners(self, path: str) -> tuple[AssetKey, ...]:  # noqa: ARG002
        return ()

    def variables(self, digest: str) -> str | None:  # noqa: ARG002
        return None

    def templates(self) -> tuple[TemplateRecord, ...]:
        return ()

    def probes(self) -> tuple[Probed, ...]:
        return ()

    def open_batches(self) -> tuple[OpenBatch, ...]:
        return ()

    def submitted_as(self, batch_id: str) -> tuple[Intended, ...]:  # noqa: ARG002
        return ()

    def pending_moves(self) -> MovesIntended | None:
        return None

    def obsolete(self) -> tuple[Obsolete, ...]:
        return ()

    def entries(self, after: int = 0) -> Iterator[tuple[int, str, Entry]]:  # noqa: ARG002
        return iter(())

    def project(self) -> ProjectIdentity | None:
        return None

    def applied(self) -> Applied | None:
        return None

    def ledger(self) -> Ledger:
        return Ledger(0, 0, 0, 0, 0)

    def sensitive_key(self) -> bytes:
        return self._key

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:  # noqa: ARG002
        raise StateError("there is no state to write to", hint="open it with create=True")

    def sync(self) -> tuple[Entry, ...]:
        return ()

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """It never changes."""
        yield

    def close(self) -> None:
        """Nothing is open."""
