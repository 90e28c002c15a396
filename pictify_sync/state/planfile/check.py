"""Whether the parts of a plan file fit each other: changes, batches and summary tell of the same work.

Only the changes are in the digest, so batches and counts are held against them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pictify_sync.core.batching import group_of
from pictify_sync.core.model import Action, Asset, AssetKey, Batch, Change, Group, Reason, key_order, split_key
from pictify_sync.errors import StateError
from pictify_sync.state import codec
from pictify_sync.state.untrusted import Faults, key_fault, path_fault, record_faults, spec_faults, variables_faults

HINT = "a plan is what `pictify-sync plan --out FILE` writes, unchanged"
_PROTECTS = {Action.PROTECT: True, Action.UNPROTECT: False}
_NEEDS_ASSET = (Action.CREATE, Action.UPDATE, Action.REPAIR, Action.MOVE, Action.KEEP, *_PROTECTS)
_NEEDS_RECORD = (Action.UPDATE, Action.REPAIR, Action.DELETE, Action.KEEP, *_PROTECTS)


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """The summary, with names as JSON needs them."""

    actions: Mapping[Action, int]
    reasons: Mapping[Action, Mapping[Reason, int]]
    manifests: Mapping[str, Mapping[Action, int]]
    recorded: int
    renders: int
    batches: int
    copies: int
    fetches: int = 0
    recorded_in: Mapping[str, int] = field(default_factory=dict)
    whole: int = 0


class PlanCheck:
    """One pass over the lines: each change for itself, then the batches and the summary against all of them."""

    def __init__(self, faults: Faults, first_line: int) -> None:
        self._faults = faults
        self._first = first_line
        self._pairs: Counter[tuple[Action, str]] = Counter()
        self._manifests: Counter[tuple[Action, str]] = Counter()
        self._copies = 0
        self._fetches = 0
        self._renders: dict[AssetKey, tuple[Group, str, str]] = {}  # -> (group, layout, digest of the variables)

    def changes(self, lines: Sequence[bytes]) -> Iterator[Change]:
        """Decode and check; what cannot be read is noted and left out."""
        last = b""
        for number, line in enumerate(lines, start=self._first):
            try:
                change: Change = codec.decode(Change, line)
            except StateError as error:
                self._faults.add(number, [error.message], HINT)
                continue
            self._faults.add(number, _change_faults(change))
            if change.key.encode(errors="surrogatepass") <= last:
                self._faults.add(number, ["out of order, or twice"])
            last = key_order(change.key)
            self._pairs[change.action, change.reason] += 1
            self._manifests[change.action, split_key(change.key)[0]] += 1
            self._copies += change.is_copied
            self._fetches += change.is_fetched_again
            if change.renders and change.asset is not None:
                self._renders[change.key] = _needed(change.asset)
            yield change

    def batches(self, batches: Sequence[Batch]) -> None:
        """Batches hold what the changes ask for, all of it, each key once, and no picture twice or for nobody."""
        left = dict(self._renders)
        for number, batch in enumerate(batches):
            for position, item in enumerate(batch.items):
                fits = item.index == position and len(item.keys) == len(batch.layouts) and all(item.keys)
                for layout, keys in zip(batch.layouts, item.keys, strict=False):
                    wanted = (batch.group, layout, item.variables)
                    fits = fits and all(left.pop(key, None) == wanted for key in keys)
                if not fits:
                    message = f"batch {number} item {position} does not match the changes"
                    self._faults.add(0, [message], HINT)
        self._faults.add(0, [f"{key} is to be rendered, but is in no batch" for key in sorted(left)], HINT)
        if sum(batch.renders for batch in batches) != len(set(self._renders.values())):
            self._faults.add(0, ["a picture is rendered twice"], HINT)

    def summary(self, counts: PlanCounts, batches: int) -> None:
        """The counts that are shown and guarded must be those of the changes; of what is kept, they must add up."""
        reasons = {(action, str(reason)): n for action, some in counts.reasons.items() for reason, n in some.items()}
        named = Counter({(action, name): n for name, some in counts.manifests.items() for action, n in some.items()})
        fits = _acting(reasons) == _acting(self._pairs) and _acting(named) == _acting(self._manifests)
        fits = fits and _by_action(reasons) == _by_action(named) == Counter(counts.actions)
        told = (counts.batches, counts.renders, counts.copies, counts.fetches)
        work = (batches, len(set(self._renders.values())), self._copies, self._fetches)
        if not fits or told != work or counts.recorded < 0:
            self._faults.add(0, ["the summary does not fit the changes"], HINT)


def _acting(counts: Mapping[tuple[Action, str], int]) -> dict[tuple[Action, str], int]:
    """What asks for something: changes that keep are left out of a plan file."""
    return {pair: count for pair, count in counts.items() if pair[0] is not Action.KEEP and count}


def _by_action(counts: Mapping[tuple[Action, str], int]) -> Counter[Action]:
    sums: Counter[Action] = Counter()
    for (action, _), count in counts.items():
        sums[action] += count
    return sums


def _needed(asset: Asset) -> tuple[Group, str, str]:
    return group_of(asset.spec), asset.spec.variant, asset.fingerprint.variables


def _change_faults(change: Change) -> Iterator[str]:
    asset, record, source = change.asset, change.record, change.source
    yield from filter(None, [key_fault(change.key)])
    if asset is None and change.action in _NEEDS_ASSET:
        yield f"{change.action} needs an asset"
    if record is None and change.action in _NEEDS_RECORD:
        yield f"{change.action} needs a record"
    if (asset is not None and change.action is Action.DELETE) or (source is None and change.action is Action.MOVE):
        yield f"{change.action} does not fit what stands with it"
    if change.action is Action.DELETE and record is not None and record.protect:
        yield "a protected picture is not deleted"
    if change.action in _PROTECTS and change.protection is not _PROTECTS[change.action]:
        yield f"{change.action} does not fit the protection that stands with it"
    if asset is not None:
        yield from filter(None, [path_fault(asset.output)])
        yield from spec_faults(asset.fingerprint, asset.spec)
        yield from variables_faults(asset.fingerprint, asset.variables)
    if any(one is not None and one.key != change.key for one in (asset, record)):
        yield "two keys in one change"
    for one in (record, source):
        if one is not None:
            yield from record_faults(one)
