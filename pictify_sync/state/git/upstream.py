"""What is known of the ref and what is still to go there: pushes in the background, and those that are waited for.

One exchange with the remote is under way at a time. Entries that may wait are offered and go together in the next push;
an entry that may not takes all of them along. What other runs wrote is found when a push is refused: it is kept until
the index is told (`update`). A thread of its own pushes, but touches no index. This module must not know the index.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pictify_sync.errors import StateError
from pictify_sync.state.git.index import Known, known_of
from pictify_sync.state.git.rebase import commute
from pictify_sync.state.git.remote import GitRemote, Pushed
from pictify_sync.state.git.tree import FORMAT_VERSION, Tree, TreeReader, Written
from pictify_sync.state.git.writer import write_run

_LOOKS = 10  # at a ref that moves while it is fetched


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """What the index has to be told."""

    known: Known
    sent: int  # entries at the head of the outbox that the remote has now
    theirs: tuple[Written, ...]  # entries of other runs
    is_stale: bool  # True: these do not tell it all, or cannot follow ours: the index must be made anew


class Upstream:
    """The ref, as one run sees it. `lineage` is that of its state."""

    def __init__(self, remote: GitRemote, reader: TreeReader, linger: float) -> None:
        self.remote, self.reader, self.lineage = remote, reader, ""
        self._linger = linger
        self._turn = threading.Condition()
        self._known = Known()
        self._outbox: list[Written] = []
        self._sent = 0
        self._theirs: list[Written] = []
        self._stale = self._busy = self._closed = self._told = False
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None

    def reset(self, known: Known, outbox: Sequence[Written], lineage: str) -> None:
        """Begin with what an index reflects. Nothing may be under way but an exchange of the caller's own."""
        with self._turn:
            self._known, self._outbox, self.lineage = known, list(outbox), lineage
            self._sent, self._theirs, self._stale, self._told = 0, [], False, False

    @property
    def known(self) -> Known:
        """The ref as it was last seen."""
        with self._turn:
            return self._known

    @property
    def outbox(self) -> list[Written]:
        """Entries that the remote does not have yet."""
        with self._turn:
            return list(self._outbox)

    def offer(self, entries: Sequence[Written]) -> None:
        """Have entries pushed soon, in order."""
        with self._turn:
            self._outbox.extend(entries)
            self._stale |= not commute([one.entry for one in entries], [one.entry for one in self._theirs])
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pictify-sync push", daemon=True)
                self._thread.start()
            self._turn.notify_all()

    def update(self) -> StateUpdate | None:
        """What the index was not told yet; None when nothing happened. Each is given once."""
        with self._turn:
            if not (self._told or self._stale):
                return None
            found = StateUpdate(self._known, self._sent, tuple(self._theirs), self._stale)
            self._sent, self._theirs, self._told = 0, [], False
            return found

    def complain(self) -> None:
        """Raise what went wrong in the background, once."""
        with self._turn:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no exchange is under way, and let none begin but the caller's."""
        with self._turn:
            self._turn.wait_for(lambda: not self._busy)
            self._busy = True
        try:
            yield
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()

    def close(self) -> None:
        """Let no exchange begin any more; one that is under way is waited for."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        if self._thread is not None:
            self._thread.join()

    # Only while alone --------------------------------------------------------------------------------------------

    def exchange(self, extra: Sequence[Written] = ()) -> bool:
        """Push the outbox with `extra` on top; True once the remote has it all.

        False when other runs wrote first and the index has to know before `extra` may follow, or anything at all.
        Raises StateError when the remote cannot be reached, refuses, or holds what is no state.
        """
        while True:
            with self._turn:
                if self._stale or (extra and self._theirs):
                    return False
                queued, known = list(self._outbox), self._known
            if not queued and not extra:
                return True
            is_old = known.format_version < FORMAT_VERSION
            meta = self.reader.tree(known.tip).meta if is_old else None
            made = write_run(self.remote.git, known, [*queued, *extra], meta)
            if self.remote.push(made.tip, known.tip) is Pushed.DONE:
                self._advance(made, len(queued), ())
                return True
            if self.look(extra) and extra:
                return True

    def look(self, extra: Sequence[Written] = ()) -> bool:
        """Fetch the ref and note what others wrote; True when `extra` is there, all of it."""
        tree = self.fetched(self.known.tip)
        return tree is not None and self.take(tree, extra)

    def take(self, tree: Tree, extra: Sequence[Written] = ()) -> bool:
        """Note what others wrote up to a commit; True when `extra` is there, all of it."""
        with self._turn:
            known, queued = self._known, list(self._outbox)
        if tree.meta.lineage != self.lineage:
            raise StateError(
                f"{self.remote.place} holds another state than before: its lineage differs",
                hint="it was replaced; to use the new one: pictify-sync state fetch",
            )
        if not _continues(tree, known):
            with self._turn:
                self._known, self._stale = known_of(tree), True
            return False
        found = list(self.reader.entries([run for run in tree.runs if run.first > known.serial]))
        sent = _held(found, queued)
        is_there = bool(extra) and _held(found, [*queued[:sent], *extra]) == sent + len(extra)
        ours = [*queued[:sent], *(extra if is_there else ())]
        theirs, crossed = _apart(found, ours)
        # another run may have written the very same as ours, later than it stands in the index
        in_order = commute([one.entry for one in ours], [one.entry for one in theirs[:crossed]])
        self._advance(known_of(tree), sent, theirs, is_stale=not in_order)
        return is_there

    def fetched(self, before: str) -> Tree | None:
        """The commit that the ref is at, fetched; None when it is still the one before. Raises StateError."""
        for _ in range(_LOOKS):
            tip = self.remote.tip()
            if tip == before:
                return None
            if not tip:
                place = self.remote.place
                hint = (
                    "where it was fetched last: pictify-sync state export > state.jsonl, "
                    f"remove .pictify-sync/{place.slug}.*, pictify-sync state import state.jsonl"
                )
                raise StateError(f"{place} is gone: the ref was deleted", hint=hint)
            if self.remote.fetch(tip):
                return self.reader.tree(tip)
        raise StateError(f"{self.remote.place} moves faster than it can be fetched", hint="run the command again")

    def advance(self, known: Known) -> None:
        """Note a commit of our own that adds no entry."""
        self._advance(known, 0, ())

    def _advance(self, known: Known, sent: int, theirs: Sequence[Written], *, is_stale: bool = False) -> None:
        with self._turn:
            self._known, self._told, self._failure = known, True, None
            del self._outbox[:sent]
            self._sent += sent
            self._stale |= is_stale or not commute([one.entry for one in self._outbox], [one.entry for one in theirs])
            self._theirs.extend(theirs)

    def _work(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._closed or self._is_due())
                self._turn.wait_for(lambda: self._closed or not self._is_due(), timeout=self._linger)
                if self._closed:
                    return
                if not self._is_due():
                    continue
                self._busy = True
            failure: Exception | None = None
            try:
                self.exchange()
            except Exception as error:
                failure = error
            with self._turn:
                self._busy, self._failure = False, failure
                self._turn.notify_all()

    def _is_due(self) -> bool:
        return bool(self._outbox) and not self._busy and not self._stale and self._failure is None


def _held(found: Sequence[Written], ours: Sequence[Written]) -> int:
    """How many of ours, from the first on, are among what was found."""
    bodies = Counter(one.body for one in found)
    for place, one in enumerate(ours):
        if not bodies[one.body]:
            return place
        bodies[one.body] -= 1
    return len(ours)


def _apart(found: Sequence[Written], ours: Sequence[Written]) -> tuple[list[Written], int]:
    """What was found without ours, and how many of it stand before the last of ours."""
    bodies, theirs, crossed = Counter(one.body for one in ours), list[Written](), 0
    for one in found:
        if bodies[one.body]:
            bodies[one.body] -= 1
            crossed = len(theirs)
        else:
            theirs.append(one)
    return theirs, crossed


def _continues(tree: Tree, known: Known) -> bool:
    """Whether a commit holds what was known and all that came since, entry by entry."""
    if not tree.meta.base <= known.serial <= tree.serial:
        return False
    ending = next((run for run in tree.runs if run.last == known.serial), None)
    return known.serial == tree.meta.base if ending is None else known.run in ("", ending.oid)
