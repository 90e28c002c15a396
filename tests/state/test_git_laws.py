"""Several clones that do anything in any order: in the end all see the same, and what was promised is there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pictify_sync.core.entries import Abandoned, Cleaned, Doubted, Entry, Intended, Obsolete, OpenBatch
from pictify_sync.errors import Conflict, StateError
from pictify_sync.state.git.store import GitStateStore
from tests.state.conformance import recorded
from tests.state.git_remotes import Hub
from tests.state.samples import AT, failed, intended, key, settled, stored, submitted

KEYS = 6
ACTS = ("intend", "submit", "doubt", "settle", "abandon", "record", "forget", "clean", "flush", "fetch")
RARE = ("die", "leave", "checkpoint", "compact")
Step = tuple[int, str, int]
STEPS = st.tuples(st.integers(0, 2), st.sampled_from((*ACTS, *ACTS, *RARE)), st.integers(0, KEYS - 1))


@dataclass
class Clone:
    """One folder and what its process was told."""

    hub: Hub
    folder: Path
    store: GitStateStore = field(init=False)
    known: int = 0
    claims: dict[str, Intended] = field(default_factory=dict)  # open attempts, as told entry by entry

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        self.store = self.hub.open(self.folder, linger=60)
        self.known = self.store.serial()
        self.claims = {batch.intended.attempt: batch.intended for batch in self.store.open_batches()}

    def catch_up(self) -> None:
        """What a session does before it builds entries."""
        for serial, _, entry in self.store.entries(self.known):
            self.tell(entry)
            self.known = serial
        assert self.known == self.store.serial()

    def tell(self, entry: Entry) -> None:
        """Follow what is open."""
        if isinstance(entry, Intended):
            self.claims[entry.attempt] = entry
        elif entry.kind in ("settled", "abandoned"):
            self.claims.pop(entry.attempt, None)

    def commit(self, build: Callable[[], list[Entry]]) -> list[Entry]:
        """Commit as a session does: again, whenever another run came first."""
        while True:
            self.catch_up()
            entries = build()
            if not entries:
                return []
            try:
                self.known = self.store.commit(self.known, entries)
            except Conflict:
                continue
            for entry in entries:
                self.tell(entry)
            return entries

    def open(self, number: int, *, fresh: bool = False) -> OpenBatch | None:
        """One of the open batches."""
        found = [one for one in self.store.open_batches() if not (fresh and one.batch_id)]
        return found[number % len(found)] if found else None


class World:
    """Three clones of one hub."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hub = folder, Hub(folder / "hub.git")
        self.clones = [Clone(self.hub, folder / f"clone-{number}") for number in range(3)]
        self.promised: dict[str, Intended] = {}  # intents whose commit returned
        self.has_checkpoint = self.is_cut = False
        self.turn = 0

    def step(self, step: Step) -> None:
        """One clone does something."""
        place, act, number = step
        clone = self.clones[place]
        self.turn += 1
        match act:
            case "flush" | "fetch":
                getattr(clone.store, act)()
            case "checkpoint":
                clone.store.checkpoint()
                self.is_cut |= self.has_checkpoint  # the log begins at the one before
                self.has_checkpoint = True
            case "compact":
                with suppress(StateError):
                    clone.store.compact()
                self.is_cut = True
            case "die":
                clone.store._upstream.close()
                clone.store._resources.close()
                clone.begin()
            case "leave":
                clone.store.close()
                clone.begin()
            case _:
                self.write(clone, act, number)

    def write(self, clone: Clone, act: str, number: int) -> None:
        """Commit what makes sense now, if anything does."""
        made = clone.commit(lambda: list(filter(None, [self.entry(clone, act, number)])))
        self.promised.update({one.attempt: one for one in made if isinstance(one, Intended)})

    def entry(self, clone: Clone, act: str, number: int) -> Entry | None:
        store, name = clone.store, f"a{self.turn}"
        claimed = {claim.key for batch in store.open_batches() for claim in batch.intended.claims}
        match act:
            case "intend":
                return None if key(number) in claimed else intended(name, {number: number})
            case "record":
                return recorded(replace(stored(number), tainted=bool(self.turn % 2)))
            case "forget":
                path = f"cards/{number:03}.webp"
                obsolete = (Obsolete(path, "0" * 64),) if self.turn % 2 else ()
                return recorded(removes=(key(number),), obsolete=obsolete)
            case "clean":
                files = store.obsolete()
                return Cleaned(files[: 1 + number % 2], AT) if files else None
            case _:
                return self.closing(clone, act, number)

    def closing(self, clone: Clone, act: str, number: int) -> Entry | None:
        """What becomes of one of the open batches."""
        opened = clone.open(number, fresh=act in ("submit", "doubt"))
        if opened is None:
            return None
        attempt, claim = opened.intended.attempt, int(opened.intended.claims[0].key[11:14])
        old = (Obsolete(f"cards/{(claim + 1) % KEYS:03}.webp", "1" * 64),) if number % 2 else ()
        made: dict[str, Entry] = {
            "submit": submitted(attempt),
            "doubt": Doubted(attempt, "lost", AT),
            "settle": replace(settled(attempt, stored(claim) if number % 3 else failed(claim)), obsolete=old),
            "abandon": Abandoned(attempt, "", 0, 1, AT),
        }
        return made[act]

    def end(self) -> None:
        """Let everybody finish, then compare."""
        try:
            for clone in self.clones:
                clone.store.flush()
            for clone in self.clones:
                clone.store.fetch()
                clone.catch_up()
            self.clones.append(Clone(self.hub, self.folder / "last"))
            told = [(list(one.store.records()), _open(one), one.store.obsolete()) for one in self.clones]
            assert told[1:] == told[:-1]
            assert all(clone.store.verify() == () for clone in self.clones)
            if not self.is_cut:
                log = [entry for _, _, entry in self.clones[-1].store.entries() if isinstance(entry, Intended)]
                assert {one.attempt: one for one in log} == self.promised
                assert len(log) == len(self.promised)
                opened = [{batch.intended.attempt for batch in one.store.open_batches()} for one in self.clones]
                assert [set(clone.claims) for clone in self.clones] == opened
        finally:
            for clone in self.clones:
                clone.store.close()


def _open(clone: Clone) -> list[tuple[Intended, str | None, str | None]]:
    return [(one.intended, one.batch_id, one.doubt) for one in clone.store.open_batches()]


def act_out(steps: list[Step]) -> None:
    """All of it, in a folder that goes away."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        world = World(Path(folder))
        try:
            for step in steps:
                world.step(step)
        finally:
            world.end()


CALM = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)


@settings(CALM, max_examples=6)
@given(st.lists(STEPS, min_size=15, max_size=25))
def test_all_clones_agree(steps: list[Step]) -> None:
    """Whatever each does, and wherever it dies, all end with the same tables; no intent is lost or stands twice."""
    act_out(steps)


@pytest.mark.full
@settings(CALM, max_examples=100)
@given(st.lists(STEPS, min_size=10, max_size=40))
def test_all_clones_agree_in_many_stories(steps: list[Step]) -> None:
    """The same, longer and more often."""
    act_out(steps)
