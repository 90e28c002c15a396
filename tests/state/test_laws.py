"""The store against a model in plain dictionaries, over random lives of batches, moves and decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pictify_sync.core.entries import (
    Abandoned,
    Cleaned,
    Doubted,
    Entry,
    Intended,
    Moved,
    MovesIntended,
    Obsolete,
    OpenBatch,
    Probed,
    Recorded,
    TemplateRecorded,
)
from pictify_sync.core.fingerprint import digest
from pictify_sync.core.model import AssetKey, DriftKind, Record, Status, key_order
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import Conflict, StateError
from pictify_sync.state.snapshot.reader import import_snapshot
from pictify_sync.state.snapshot.writer import export
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.samples import AT, failed, intended, key, print_of, probed, settled, stored, submitted, template

numbers = st.integers(0, 7)
contents = st.integers(0, 3)
paths = st.sampled_from([None, "p/a", "p/b", "q"])
records = st.builds(
    lambda number, content, path, change: replace(stored(number, content, path), **change),
    numbers,
    contents,
    paths,
    st.sampled_from(
        [{}, {"tainted": True}, {"drift": DriftKind.TAMPERED}, {"status": Status.RENDERED}, {"protect": True}]
    ),
)
obsolete = st.lists(
    st.builds(Obsolete, st.sampled_from(["p/a", "p/b", "cards/001.webp"]), st.sampled_from("12")), max_size=2
)


class Model:
    """What the store should hold, worked out the slow and obvious way."""

    def __init__(self) -> None:
        self.log: list[Entry] = []
        self.records: dict[AssetKey, Record] = {}
        self.variables: dict[str, str] = {}
        self.templates: dict[str, TemplateRecord] = {}
        self.probes: dict[tuple[str, str], Probed] = {}
        self.open: dict[str, OpenBatch] = {}
        self.pending: MovesIntended | None = None
        self.obsolete: set[Obsolete] = set()

    def effect(self, puts: tuple[Record, ...], removes: tuple[AssetKey, ...], files: tuple[Obsolete, ...]) -> None:
        """Put, remove, and forget what is owned."""
        for one in removes:
            self.records.pop(one, None)
        self.records.update({record.key: record for record in puts})
        owned = {record.artifact.path for record in self.records.values() if record.artifact}
        put = {record.artifact.path for record in puts if record.artifact}
        self.obsolete = {file for file in self.obsolete if file.path not in put}
        self.obsolete |= {file for file in files if file.path not in owned}


class StateMachine(RuleBasedStateMachine):
    """Random entries, through two handles of one state."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / ".pictify-sync" / "state.db"
        self.model = Model()
        self.attempts = 0

    @initialize()
    def begin(self) -> None:
        self.handles = [self.open(), self.open()]

    def open(self, path: Path | None = None) -> SqliteStateStore:
        store = open_store(path or self.path, create=True)
        assert isinstance(store, SqliteStateStore)
        return store

    def commit(self, *entries: Entry) -> None:
        """Through the handles in turn."""
        store = self.handles[len(self.model.log) % 2]
        self.model.log += entries
        assert store.commit(len(self.model.log) - len(entries), entries) == len(self.model.log)

    @rule(wanted=st.dictionaries(numbers, contents, min_size=1, max_size=3), keep=st.booleans())
    def intend(self, wanted: dict[int, int], keep: bool) -> None:
        self.attempts += 1
        entry = intended(f"a{self.attempts}", wanted, keep_variables=keep)
        taken = {claim.key for opened in self.model.open.values() for claim in opened.intended.claims}
        if taken & {claim.key for claim in entry.claims}:
            with pytest.raises(StateError, match="claimed"):
                self.handles[0].commit(len(self.model.log), [entry])
            return
        self.commit(entry)
        self.model.open[entry.attempt] = OpenBatch(entry, len(self.model.log), None, None, None)
        self.model.variables |= {digest(text): text for text in entry.variables if text}

    @precondition(lambda self: self.model.open)
    @rule(data=st.data(), doubt=st.booleans())
    def answer(self, data: st.DataObject, doubt: bool) -> None:
        attempt = data.draw(st.sampled_from(sorted(self.model.open)))
        before = self.model.open[attempt]
        entry = Doubted(attempt, "reset", AT) if doubt else submitted(attempt)
        if before.batch_id is not None:
            with pytest.raises(StateError):
                self.handles[1].commit(len(self.model.log), [entry])
            return
        self.commit(entry)
        if isinstance(entry, Doubted):
            self.model.open[attempt] = replace(before, doubt="reset")
        else:
            self.model.open[attempt] = replace(before, batch_id=entry.batch_id, submitted_at=AT, doubt=None)

    @precondition(lambda self: self.model.open)
    @rule(data=st.data(), fails=st.booleans(), files=obsolete)
    def settle(self, data: st.DataObject, fails: bool, files: list[Obsolete]) -> None:
        attempt = data.draw(st.sampled_from(sorted(self.model.open)))
        entry: Intended = self.model.open.pop(attempt).intended
        puts = []
        for claim in entry.claims:
            number = int(claim.key.split("-")[1][:3])
            content = next(c for c in range(4) if print_of(c) == claim.fingerprint)
            puts.append(failed(number, self.model.records.get(claim.key)) if fails else stored(number, content))
        self.commit(replace(settled(attempt, *puts), obsolete=tuple(files)))
        self.model.effect(tuple(puts), (), tuple(files))

    @precondition(lambda self: self.model.open)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(sorted(self.model.open)))
        del self.model.open[attempt]
        self.commit(Abandoned(attempt, "lost", 0, 2, AT))

    @rule(
        puts=st.lists(records, max_size=3, unique_by=lambda record: record.key),
        removes=st.sets(numbers, max_size=3),
        files=obsolete,
        moving=st.booleans(),
    )
    def change(self, puts: list[Record], removes: set[int], files: list[Obsolete], moving: bool) -> None:
        gone = tuple(sorted({key(number) for number in removes} - {record.key for record in puts}))
        if not moving:
            self.commit(Recorded("import", tuple(puts), gone, tuple(files), AT))
            self.model.effect(tuple(puts), gone, tuple(files))
        elif self.model.pending is None:
            self.model.pending = MovesIntended((), tuple(puts), gone, tuple(files), AT)
            self.commit(self.model.pending)
        else:
            pending, self.model.pending = self.model.pending, None
            self.commit(Moved(pending.puts, pending.removes, pending.obsolete, AT))
            self.model.effect(pending.puts, pending.removes, pending.obsolete)

    @rule(data=st.data())
    def clean(self, data: st.DataObject) -> None:
        files = tuple(file for file in sorted(self.model.obsolete, key=repr) if data.draw(st.booleans()))
        self.commit(Cleaned(files, AT))
        self.model.obsolete -= set(files)

    @rule(name=st.sampled_from("ab"), revision=st.sampled_from(["r1", "r2"]))
    def push(self, name: str, revision: str) -> None:
        self.commit(TemplateRecorded(template(name, revision), AT))
        self.model.templates[name] = template(name, revision)

    @rule(provider=st.sampled_from("pq"), begun=st.booleans(), ended=st.booleans(), named=st.booleans())
    def explore(self, provider: str, begun: bool, ended: bool, named: bool) -> None:
        run = f"p{len(self.model.log)}"
        if begun:
            self.commit(probed(run, provider, ended=False))
        if ended:
            self.commit(probed(run, provider, names_layouts=named))
            self.model.probes[provider, "https://api.test/v1"] = probed(run, provider, names_layouts=named)

    @rule(behind=st.integers(1, 3))
    def be_stale(self, behind: int) -> None:
        with pytest.raises(Conflict):
            self.handles[0].commit(len(self.model.log) - behind, [TemplateRecorded(template("never"), AT)])

    @rule(which=st.integers(0, 1), rebuild=st.booleans())
    def reopen(self, which: int, rebuild: bool) -> None:
        self.handles[which].close()
        self.handles[which] = self.open()
        if rebuild:
            assert self.handles[which].rebuild() == len(self.model.log)

    @rule()
    def travel(self) -> None:
        """Export then import is the identity, and tells nothing secret."""
        lines: list[str] = []
        export(self.handles[0], lines.append)
        with TemporaryDirectory() as folder, self.open(Path(folder) / "s" / "state.db") as other:
            import_snapshot(lines, other, file="snapshot.jsonl", at=AT)
            again: list[str] = []
            export(other, again.append)
            assert again == lines
            assert other.lineage == self.handles[0].lineage
            assert other.sensitive_key() != self.handles[0].sensitive_key()
            self.check_reads(other, history=False)
            assert other.verify() == ()

    @invariant()
    def both_handles_agree_with_the_model(self) -> None:
        for store in self.handles:
            assert [entry for _, _, entry in store.entries()] == self.model.log
            self.check_reads(store, history=True)

    def check_reads(self, store: SqliteStateStore, *, history: bool) -> None:
        """Every read of the port against the model."""
        model = self.model
        expected = sorted(model.records.values(), key=lambda record: key_order(record.key))
        assert list(store.records()) == expected
        assert store.count() == len(expected)
        opened = store.open_batches()
        assert [replace(one, serial=0) for one in opened] == [replace(one, serial=0) for one in model.open.values()]
        assert store.pending_moves() == model.pending
        assert store.obsolete() == tuple(sorted(model.obsolete, key=lambda file: (file.path, file.sha256)))
        assert store.probes() == tuple(one for _, one in sorted(model.probes.items()))
        assert store.templates() == tuple(model.templates[name] for name in sorted(model.templates))
        for content in range(4):
            sound = [
                record
                for record in expected
                if record.fingerprint == print_of(content)
                and record.artifact
                and record.status is not Status.RENDERED
                and not record.tainted
                and record.drift is None
            ]
            assert store.find(print_of(content)) == (sound[0] if sound else None)
            if history:
                name = print_of(content).variables
                assert store.variables(name) == model.variables.get(name)
        for path in ("p/a", "p/b", "q"):
            owners = tuple(record.key for record in expected if record.artifact and record.artifact.path == path)
            assert store.owners(path) == owners

    def teardown(self) -> None:
        if hasattr(self, "handles"):
            assert self.handles[1].verify() == ()
            for store in self.handles:
                store.close()
        self.folder.cleanup()


def _run(examples: int, steps: int) -> None:
    quick = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(StateMachine, settings=quick)


def test_the_store_is_the_model() -> None:
    """Whatever happens, both handles read what the model says, the log refolds to the tables, and snapshots travel."""
    _run(12, 25)


@pytest.mark.full
def test_the_store_is_the_model_at_length() -> None:
    """The same, for long."""
    _run(300, 50)
