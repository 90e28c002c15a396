"""What every step of an apply shares: the ports, and commits that win or fold in what another run did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pictify_sync.core.entries import Abandoned, Doubted, Entry, Intended, Moved, Obsolete, OpenBatch, Recorded, Settled
from pictify_sync.core.journal import DoubtRules, is_of_other_service, moment
from pictify_sync.core.model import Asset, AssetKey, ProviderFacts, Record
from pictify_sync.core.paths import Held, folded
from pictify_sync.core.ports import ArtifactStore, Clock, EventSink, Payloads, Provider, StateStore
from pictify_sync.errors import Conflict
from pictify_sync.workflows.apply.urls import Addresses, LocatedPicture, UrlSources


def timestamp(clock: Clock) -> str:
    """Give the time as it is written down: ISO 8601 UTC with milliseconds."""
    return datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _nothing() -> Sequence[Entry]:
    return ()


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside of one apply."""

    store: StateStore
    artifacts: ArtifactStore
    provider: Callable[[str], Provider]
    payloads: Payloads
    asset: Callable[[AssetKey], Asset | None]  # a desired asset by key
    clock: Clock
    sink: EventSink
    stop: Callable[[], bool]  # turns true when the user asks to stop
    run: str  # id of this run
    new_attempt: Callable[[], str]  # a fresh, time-ordered id
    service: Callable[[str], str] = lambda _: ""  # by provider: where its account is reached; "": it is embedded
    facts: Callable[[str], ProviderFacts] = lambda _: ProviderFacts()  # by provider
    sources: Callable[[str], UrlSources] = lambda _: UrlSources()  # by provider
    doubt: DoubtRules = field(default_factory=DoubtRules)
    binding: Callable[[], Sequence[Entry]] = _nothing  # what the first write says before: whose the state is
    place: Callable[[], str] = str  # id of the folder of the pictures; "": all runs share it
    has_held: Callable[[str, str], bool] = lambda _path, _sha256: True  # whether a picture was ever in that folder
    keep_variables: bool = True  # False: the state keeps digests only


def is_at_other_service(session: Session, opened: OpenBatch) -> bool:
    """Whether an open batch is none of this run's business: see `is_of_other_service`."""
    return is_of_other_service(opened, session.ports.service(opened.intended.batch.group.provider))


class Session:
    """The ports, and what other runs did to the same state while this one goes on.

    `since`: the serial that what is to be done was worked out for; None: nothing was yet.
    """

    def __init__(self, ports: Ports, since: int | None = None) -> None:
        self.ports = ports
        self.store = ports.store
        self.closed: dict[str, Settled | Abandoned] = {}  # what other runs made of batches, by attempt
        self.dropped: list[Entry] = []  # entries of ours that are no part of the log, since another run was faster
        self.touched: set[AssetKey] = set()  # records that another run changed since this one began
        self.published: dict[str, AssetKey] = {}  # folded paths that other runs published at since this one began
        self.clashes: Mapping[AssetKey, Held] = {}  # planned pictures whose path was given to another since the plan
        self.refused: dict[AssetKey, str] = {}  # pictures that are left out of this run: why
        self.addresses = Addresses()
        self.left: set[Obsolete] = set()  # files that were to be removed, and have other bytes
        self._claims: dict[str, frozenset[AssetKey]] = {}  # open batches of other runs, by attempt
        self._outputs: dict[str, dict[str, AssetKey]] = {}  # ... and the folded paths that they publish at
        self._known = ports.store.serial() if since is None else since  # everything up to here is ours, or folded in

    def now(self) -> str:
        """ISO 8601 UTC with milliseconds."""
        return timestamp(self.ports.clock)

    def claimed_path(self, fold: str) -> AssetKey | None:
        """Which key such a batch publishes at a folded path; None: no batch does."""
        return next((keys[fold] for keys in self._outputs.values() if fold in keys), None)

    def claimed(self) -> frozenset[AssetKey]:
        """Keys in batches that other runs intended while this one went on."""
        return frozenset().union(*self._claims.values())

    def commit(self, build: Callable[[], Sequence[Entry]]) -> bool:
        """Commit what `build` makes of the newest state; it is asked again whenever another run came first.

        False when `build` gave nothing, since the other run had done it already.
        """
        while True:
            self.catch_up()
            serial = self._known
            entries = build()
            if not entries:
                return False
            entries = [*self.ports.binding(), *entries]
            if serial != self._known:
                continue
            try:
                self._known = self.store.commit(serial, entries)
            except Conflict:
                continue
            for entry in entries:
                if isinstance(entry, Settled | Abandoned):
                    self._claims.pop(entry.attempt, None)
                    self._outputs.pop(entry.attempt, None)
            return True

    def catch_up(self) -> None:
        """Fold in what other runs committed since the newest serial that is known, as far as it is here."""
        if self.store.serial() == self._known:
            return
        for serial, _, entry in self.store.entries(self._known):
            self._fold(entry)
            self._known = serial

    def begin(self, serial: int) -> None:
        """Go on with work that was worked out for that serial: only what others did since is left out of it."""
        self.catch_up()
        self.touched.clear()
        self._known = min(self._known, serial)
        self.catch_up()

    def is_taken(self, key: AssetKey) -> bool:
        """Whether another run has changed or claimed an asset since the work was worked out."""
        return key in self.touched or self.is_claimed(key)

    def is_claimed(self, key: AssetKey) -> bool:
        """Whether a batch that another run intended meanwhile, and that is open, holds an asset."""
        return any(key in keys for keys in self._claims.values())

    def open_batch(self, attempt: str) -> OpenBatch | None:
        """Return an attempt that is neither settled nor given up."""
        return next((one for one in self.store.open_batches() if one.intended.attempt == attempt), None)

    def intended_at(self, opened: OpenBatch) -> float:
        """When a batch was intended, in epoch seconds: not after what was written of it later, by whatever clock."""
        attempt, first = opened.intended.attempt, moment(opened.intended.at)
        if opened.batch_id is not None or opened.doubt is None:
            return first
        of_it = (one for _, _, one in self.store.entries(opened.serial - 1) if isinstance(one, Doubted))
        return min((first, *(moment(one.at) for one in of_it if one.attempt == attempt)))

    def tell_shared(self, pictures: Iterable[LocatedPicture]) -> None:
        """Warn of pictures that lie at the URL of another one, though their inputs differ."""
        if (event := self.addresses.look(pictures)) is not None:
            self.ports.sink(event)

    def sync(self) -> None:
        """Have everything where other runs see it, and fold in what they committed, wherever that is."""
        self.dropped.extend(self.store.sync())
        self.catch_up()

    def _fold(self, entry: Entry) -> None:
        match entry:
            case Intended():
                self._outputs[entry.attempt] = {folded(claim.output): claim.key for claim in entry.claims}
                self._claims[entry.attempt] = frozenset(claim.key for claim in entry.claims)
            case Settled():
                self._claims.pop(entry.attempt, None)
                self._outputs.pop(entry.attempt, None)
                self.closed[entry.attempt] = entry
                self._put(entry.puts)
            case Abandoned():
                self._claims.pop(entry.attempt, None)
                self._outputs.pop(entry.attempt, None)
                self.closed[entry.attempt] = entry
            case Moved() | Recorded():
                self._put(entry.puts)
                self.touched.update(entry.removes)
            case _:
                return

    def _put(self, records: Sequence[Record]) -> None:
        self.touched.update(record.key for record in records)
        self.published.update((folded(one.artifact.path), one.key) for one in records if one.artifact is not None)
