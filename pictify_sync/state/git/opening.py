"""Opens a state on a Git ref: the index alone for those who only read, index and ref for those who write.

This module must not know which command wants it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pictify_sync.core.fingerprint import keyed_digest
from pictify_sync.errors import StateError, UsageError
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.git.index import check_key, open_index
from pictify_sync.state.git.place import GitPlace
from pictify_sync.state.git.store import GitStateStore
from pictify_sync.state.sqlite.schema import prepare_folder
from pictify_sync.state.sqlite.store import SqliteStateStore

FOLDER = ".pictify-sync"
LEAST_KEY = 32  # characters of the sensitive key
_FETCH = "pictify-sync state fetch"


@dataclass(frozen=True, slots=True)
class GitState:
    """A place, the project that it belongs to, and the secret that hides sensitive values ("": none is given)."""

    place: GitPlace
    project: Path
    secret: str
    environ: Mapping[str, str]
    linger: float = 0.5  # seconds that an entry which may wait waits for others
    patience: float = 10.0  # seconds to wait for another run in the same folder

    @property
    def index(self) -> Path:
        """The index's file."""
        return self.project / FOLDER / f"{self.place.slug}.db"

    def key(self) -> bytes:
        """The sensitive key; empty when no secret is given. Raises UsageError when it is too short."""
        if self.secret and len(self.secret) < LEAST_KEY:
            raise UsageError(
                f"PICTIFY_STATE_KEY has {len(self.secret)} characters, at least {LEAST_KEY} are needed",
                hint="make one with: openssl rand -hex 32",
            )
        return blake2b(self.secret.encode(), digest_size=32, person=b"pictify-state").digest() if self.secret else b""


def open_read(state: GitState) -> SqliteStateStore | EmptyStateStore:
    """Open the index to read, without a look at the remote. Raises StateError when the ref was never fetched."""
    key = state.key()
    index = open_index(state.index, key, create=False)
    known = None if index is None else index.known()
    if index is None or known is None:
        if index is not None:
            index.close()
        raise StateError(f"the state {state.place} was never fetched to this folder", hint=f"run first: {_FETCH}")
    if not known.tip:
        index.close()
        return EmptyStateStore(key)
    try:
        check_key(key_check(key), known)
    except BaseException:
        index.close()
        raise
    return index.store


def open_write(state: GitState, *, create: bool) -> GitStateStore | EmptyStateStore:
    """Open index and ref, fetched; `create` makes the ref where there is none, which reads as empty without it."""
    from pictify_sync.state.git.program import open_git  # noqa: PLC0415 - reading runs no git
    from pictify_sync.state.git.remote import GitRemote  # noqa: PLC0415
    from pictify_sync.state.git.tree import TreeReader  # noqa: PLC0415
    from pictify_sync.state.git.upstream import Upstream  # noqa: PLC0415

    key = state.key()
    held = ExitStack()
    try:
        prepare_folder(state.index)
        held.enter_context(_locked(state))
        git = open_git(state.place, state.project, state.index.with_suffix(".git"), state.environ)
        git.prepare()
        index = open_index(state.index, key, create=True)
        assert index is not None
        held.callback(index.close)
        remote, reader = GitRemote(git, state.place), TreeReader(git, state.place)
        upstream = Upstream(remote, reader, state.linger)
        store = GitStateStore(index, upstream, key_check(key), held)
        if not store.open(create=create):
            held.close()
            return EmptyStateStore(key)
    except BaseException:
        held.close()
        raise
    return store


@contextmanager
def _locked(state: GitState) -> Iterator[None]:
    """Keep other processes from writing to the index; the lock goes with the process, however that ends."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - reading takes no lock

    lock = FileLock(state.index.with_suffix(".lock"), timeout=state.patience, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        hint = "wait for it; or work in a clone of your own: any number of them share one ref"
        raise StateError(f"another run in this folder holds the state {state.place}", hint=hint) from None
    try:
        yield
    finally:
        lock.release()


def key_check(key: bytes) -> str:
    """What tells one sensitive key from another; "" for none."""
    return keyed_digest(key, "pictify-sync sensitive key") if key else ""
