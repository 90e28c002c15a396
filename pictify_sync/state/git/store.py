"""The state on a Git ref: a StateStore whose every commit is one of the ref, pushed without force.

Reads come from the local index. An entry that a billed call or a changed file follows is at the remote before `commit`
returns; entries that only tell what became of a batch may wait for the next push. One process at a time writes to an
index; any number of them, each with its own, to a ref.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from secrets import token_hex
from typing import Self

from pictify_sync.core.entries import Entry, Recorded
from pictify_sync.core.model import Record
from pictify_sync.errors import Conflict, StateError
from pictify_sync.state.git.checkpoint import parts_of
from pictify_sync.state.git.index import GitIndex, Known, check_key, known_of
from pictify_sync.state.git.rebase import MAY_WAIT
from pictify_sync.state.git.remote import Pushed
from pictify_sync.state.git.tree import Meta, Tree, Written
from pictify_sync.state.git.upstream import Upstream
from pictify_sync.state.git.writer import write_checkpoint, write_first
from pictify_sync.state.untrusted import entry_faults

CHECKPOINT_AFTER = 1000  # entries
_CHUNK = 1000  # records per entry that is told again


class _Outrun(Exception):
    """Other runs wrote first."""


class GitStateStore:
    """An index and its ref. Belongs to one thread; a second one pushes. Close it: what may wait is pushed then."""

    def __init__(self, index: GitIndex, upstream: Upstream, key_check: str, resources: ExitStack) -> None:
        self._index, self._upstream, self._resources = index, upstream, resources
        self._store = index.store
        self.lineage = index.store.lineage
        self._key_check = key_check  # of the key that this process was given; "" for none
        self.checkpoint_after = CHECKPOINT_AFTER
        self._gap = 0  # our serials minus those of the index: it may be made anew, ours never go back
        self._dropped: list[Entry] = []  # of ours: other runs were faster, and nobody was told yet
        self._retold = 0  # entries up to this serial are told again, since their order has changed
        read = index.store  # everything but serials and entries
        self.records, self.record, self.count, self.find = read.records, read.record, read.count, read.find
        self.owners, self.variables, self.templates = read.owners, read.variables, read.templates
        self.open_batches, self.pending_moves, self.obsolete = read.open_batches, read.pending_moves, read.obsolete
        self.probes, self.ledger, self.pinned = read.probes, read.ledger, read.pinned
        self.submitted_as = read.submitted_as
        self.project, self.applied = read.project, read.applied

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Push what is left, then let go. Raises StateError when it cannot be pushed: the index keeps it."""
        with self._resources, ExitStack() as last:
            last.callback(self._upstream.close)
            self.flush()

    # Reading -----------------------------------------------------------------------------------------------------

    def serial(self) -> int:
        return self._store.serial() + self._gap

    def sensitive_key(self) -> bytes:
        check_key(self._key_check, self._upstream.known)
        return self._store.sensitive_key()

    def entries(self, after: int = 0) -> Iterator[tuple[int, str, Entry]]:
        """As in the port. After the index was made anew, all that it holds is told again to whoever knew less."""
        if after >= self._retold:
            for serial, at, entry in self._store.entries(after - self._gap):
                yield serial + self._gap, at, entry
            return
        told = sum(1 for _ in self._again())
        for serial, (at, entry) in enumerate(self._again(), start=self.serial() - told + 1):
            yield serial, at, entry

    def _again(self) -> Iterator[tuple[str, Entry]]:
        """All records as decisions, then what the log still tells; one entry at least."""
        yield "", Recorded("fetch", (), (), (), "")
        puts: list[Record] = []
        for record in self._store.records():
            puts.append(record)
            if len(puts) == _CHUNK:
                yield "", Recorded("fetch", tuple(puts), (), (), "")
                puts = []
        if puts:
            yield "", Recorded("fetch", tuple(puts), (), (), "")
        for opened in self._store.open_batches():
            yield opened.intended.at, opened.intended
        for _, at, entry in self._store.entries():
            yield at, entry

    # Writing -----------------------------------------------------------------------------------------------------

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        self._upstream.complain()
        if not self._learnt():
            with self._upstream.alone():
                self._renew()
        if all(isinstance(entry, MAY_WAIT) for entry in entries):
            with self._appending(after_serial, entries, queued=True) as written:
                pass
            if written:
                self._upstream.offer(written)
            return after_serial + len(entries)
        with self._upstream.alone():
            try:
                self._absorb()
                self._commit_there(after_serial, entries)
            except _Outrun:
                self._absorb()
                raise Conflict(expected=after_serial, serial=self.serial()) from None
            self._checkpoint_if_due()
        return after_serial + len(entries)

    def _commit_there(self, after_serial: int, entries: Sequence[Entry]) -> None:
        """Write to the ref and to the index, or to none of them."""
        with self._appending(after_serial, entries, queued=False) as written:
            if not self._upstream.exchange(written):
                raise _Outrun
            update = self._upstream.update()
            if update is not None and not update.is_stale:
                self._store.append(one.entry for one in update.theirs)
                self._index.note(update.known, update.sent)

    @contextmanager
    def _appending(self, after_serial: int, entries: Sequence[Entry], *, queued: bool) -> Iterator[list[Written]]:
        try:
            with self._index.appending(after_serial - self._gap, entries, queued=queued) as written:
                wrong = next((fault for entry in entries for fault in entry_faults(entry)), None)
                if wrong is not None:  # what every other run would refuse must not get there
                    raise StateError(f"an invalid entry: {wrong}", hint="please report it")
                yield written
        except Conflict:
            raise Conflict(expected=after_serial, serial=self.serial()) from None

    def flush(self) -> None:
        """Push everything that waits. Raises StateError when that cannot be done."""
        with self._upstream.alone():
            self._absorb()
            while not self._upstream.exchange():
                self._absorb()
            self._absorb()
            self._checkpoint_if_due()

    def sync(self) -> tuple[Entry, ...]:
        """As in the port."""
        self.flush()
        self.fetch()
        dropped, self._dropped = tuple(self._dropped), []
        return dropped

    def fetch(self, *, rebuild: bool = False) -> bool:
        """Bring the index to what the ref holds, or make it anew; False when there is no such ref."""
        upstream = self._upstream
        with upstream.alone():
            if rebuild:
                upstream.remote.git.prepare(afresh=True)
            known, left = (None, []) if rebuild else self._reflected()
            before = "" if known is None else known.tip
            tip = upstream.remote.tip()
            if tip == before and known is not None:
                if tip and not upstream.remote.holds(tip):
                    upstream.remote.fetch(tip)
                upstream.reset(known, left, self.lineage)
                return bool(tip)
            tree = upstream.fetched("" if tip else before) if tip or before else None  # raises when it is gone
            if known is not None and before and tree is not None and tree.meta.lineage == self.lineage:
                upstream.reset(known, left, self.lineage)
                upstream.take(tree)
                self._absorb()
            else:
                is_ours = tree is not None and tree.meta.lineage == self.lineage
                self._reflect(tree, left if is_ours else [])
        return tree is not None

    def _reflected(self) -> tuple[Known | None, list[Written]]:
        """What the index reflects, and its outbox; None for an index that cannot be gone on with."""
        try:
            known, outbox = self._index.known(), self._index.outbox()
            whole = known is not None and self._store.serial() == known.serial + len(outbox)
        except StateError:
            return None, []
        return (known if whole else None), outbox

    def _reflect(self, tree: Tree | None, left: Sequence[Written]) -> None:
        """Make the index anew from a commit, what is left of ours on top; our serials go on."""
        newest = self.serial()
        kept = self._index.reflect(tree, self._upstream.reader, left)
        bodies = {one.body for one in kept}
        self._dropped.extend(one.entry for one in left if one.body not in bodies)
        self.lineage = self._store.lineage
        self._upstream.reset(known_of(tree), kept, self.lineage)
        self._retold = max(newest + 1, self._store.serial())
        self._gap = self._retold - self._store.serial()

    def forget_ref(self) -> None:
        """Forget what the index reflects: reading asks for a fetch first. What is not pushed yet stays."""
        self._index.forget()

    def open(self, *, create: bool) -> bool:
        """Begin with what the ref holds, or make it; False when there is none and it is not to be made."""
        if not self.fetch():
            if not create:
                return False
            self._create()
            self.fetch()
        self._gap = self._retold = 0  # nobody was told a serial yet
        self._dropped.clear()  # what a run left that is dead
        return True

    def _create(self) -> None:
        """Push a state without entries, under a lineage of its own, unless another run is faster."""
        with self._upstream.alone():
            meta = Meta(token_hex(16), 0, 0, "", self._key_check)
            made = write_first(self._upstream.remote.git, meta)
            self._upstream.remote.push(made.tip, "")

    def restore(self, lineage: str, entries: Iterable[Entry]) -> int:
        """Fill a state without history from entries under another lineage, and push it; returns the new serial."""
        with self._upstream.alone():
            place = self._upstream.remote.place
            if self._store.serial() or self._upstream.outbox:
                raise StateError(f"{place} has a history already", hint="choose another ref")
            serial = self._index.refill(lineage, entries)
            self.lineage = lineage
            is_pushed = self._push_checkpoint(base=serial)
            self._reflect(self._upstream.fetched(""), [])
        if not is_pushed:
            raise StateError(f"{place}: another run wrote to it first", hint="see what it did, then try again")
        return serial

    def compact(self) -> int:
        """Put one commit with a checkpoint in place of all there are and return the number of entries forgotten."""
        self.flush()
        with self._upstream.alone():
            self._agree()
            forgotten = sum(1 for _ in self._store.entries())
            if self._store.serial() and not self._push_checkpoint(base=self._store.serial(), root=True):
                raise StateError(f"{self._upstream.remote.place} moved meanwhile", hint="run the command again")
        self.fetch(rebuild=True)
        return forgotten

    def rebuild(self) -> int:
        """Make the index anew from the ref and return the serial."""
        return self.serial() if self.fetch(rebuild=True) else 0

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the index: damaged pages, altered entries."""
        return self._store.verify()

    def checkpoint(self) -> bool:
        """Push a checkpoint now; False when the ref moved meanwhile, which does no harm."""
        self.flush()
        with self._upstream.alone():
            self._agree()
            known = self._upstream.known
            return known.serial == known.checkpoint or self._push_checkpoint(base=known.checkpoint)

    def _checkpoint_if_due(self) -> None:
        known = self._upstream.known
        if known.serial - known.checkpoint >= self.checkpoint_after and not self._upstream.outbox:
            with suppress(StateError):  # the next one will do
                self._agree()
                self._push_checkpoint(base=known.checkpoint)

    def _push_checkpoint(self, *, base: int, root: bool = False) -> bool:
        """Push a checkpoint of the index, which must reflect the ref; False when the ref moved meanwhile."""
        upstream = self._upstream
        before = upstream.reader.tree(upstream.known.tip)
        serial = self._store.serial()
        at = next((at for _, at, _ in self._store.entries(serial - 1)), before.meta.at)
        check = self._key_check if root else before.meta.key_check or self._key_check
        meta = Meta(self.lineage, serial, base, at, check)
        made = write_checkpoint(upstream.remote.git, before, parts_of(self._store) if serial else (), meta, root=root)
        if upstream.remote.push(made.tip, before.tip, replace=root) is not Pushed.DONE:
            return False
        upstream.advance(made)
        self._absorb()
        return True

    # Only while alone with the remote ----------------------------------------------------------------------------

    def _absorb(self) -> None:
        """Record in the index what happened at the remote."""
        if not self._learnt():
            self._renew()

    def _agree(self) -> None:
        """Make sure that the index has as many entries as the ref."""
        if self._store.serial() != self._upstream.known.serial + len(self._upstream.outbox):
            self._renew()

    def _learnt(self) -> bool:
        """Record in the index what others appended; False when it has to be made anew for that."""
        update = self._upstream.update()
        try:
            if update is not None and not update.is_stale:
                self._index.learn(update.known, update.sent, update.theirs)
        except StateError:
            return False  # theirs cannot follow ours: they came first
        return update is None or not update.is_stale

    def _renew(self) -> None:
        """Make the index anew from what was fetched last."""
        self._reflect(self._upstream.reader.tree(self._upstream.known.tip), self._upstream.outbox)
