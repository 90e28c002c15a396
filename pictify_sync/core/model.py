"""Every value that travels from manifests to pictures, in the order of the pipeline.

This module must not know how anything is read, stored, sent or shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

AssetKey = NewType("AssetKey", str)  # "<manifest>/<item>@<layout>", NFC; ordered by its UTF-8 bytes everywhere

UNKNOWN_REVISION = "unknown"  # the revision of a provider's template that nobody has looked at yet
NO_BYTES = "0" * 64  # sha256 of an artifact that is left at the provider's URL: no file has it
_NAME = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,255}"
_KEY = re.compile(rf"{_NAME}/{_NAME}@[^/@\x00-\x20\x7f]{{1,255}}")
DEFAULT_LAYOUT = "default"  # the base size of a template (Pictify, Get Batch Results: "'default' for base layout")


def asset_key(manifest: str, item: str, layout: str) -> AssetKey:
    """Join the three names of an asset; none of them may hold '/' or '@'."""
    return AssetKey(f"{manifest}/{item}@{layout}")


def is_key(text: str) -> bool:
    """Whether a text is the key of an asset that a manifest can have."""
    return _KEY.fullmatch(text) is not None


def split_key(key: AssetKey) -> tuple[str, str, str]:
    """Return (manifest, item, layout) of a key."""
    manifest, _, rest = key.partition("/")
    item, _, layout = rest.rpartition("@")
    return manifest, item, layout


def key_order(key: AssetKey) -> bytes:
    """The sort key of an asset key: its UTF-8 bytes."""
    return key.encode()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an asset was declared: for messages only, never part of an identity."""

    file: str  # the manifest, or the rows file
    line: int  # 1-based line of the row; 0 when unknown
    column: int = 0  # 1-based; 0 when unknown


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """What shapes a picture apart from its variables. Shared by all assets of one manifest and variant."""

    provider: str  # its registered name
    template: str  # declared template's name, else the provider's uid
    template_revision: str  # digest of what shapes this variant, or UNKNOWN_REVISION
    variant: str  # for images the layout: DEFAULT_LAYOUT for the base size
    format: str  # name of a format of files (see `media`)
    options: str  # canonical JSON of what else the provider was asked for, by name; "{}": nothing
    engine: str  # identity of the embedded engine and its fonts; "" for a remote provider


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Equality of both digests means: the same picture. Which one differs is the reason for a change."""

    spec: str  # digest of the RenderSpec
    variables: str  # digest of the canonical variables


@dataclass(frozen=True, slots=True)
class Asset:
    """One desired picture."""

    key: AssetKey
    spec: RenderSpec
    variables: str  # canonical JSON: local pictures as {"$file", "sha256"}, sensitive values as {"$sensitive"}
    fingerprint: Fingerprint
    output: str  # POSIX path below the output root, NFC
    origin: Origin
    protect: bool = False  # True: never deleted


class Status(StrEnum):
    """What is known of a recorded asset."""

    STORED = "stored"  # the artifact is published at its path
    RENDERED = "rendered"  # the provider made it (and billed it), its URL is not known yet
    FAILED = "failed"  # the newest attempt failed; an older artifact may still be published


@dataclass(frozen=True, slots=True)
class Artifact:
    """The stored bytes of a picture."""

    path: str  # POSIX path below the output root
    sha256: str  # hex; NO_BYTES when nothing is stored
    size: int  # bytes

    @property
    def is_kept(self) -> bool:
        """Whether bytes are stored, here or in a bucket; else the picture is at its URL alone."""
        return self.sha256 != NO_BYTES


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture could not be made, in the provider's words."""

    code: str  # the provider's, or ours (NO_OUTCOME, BAD_DOWNLOAD, ...)
    message: str  # provider's text, secrets removed
    fingerprint: Fingerprint  # what was attempted


class DriftKind(StrEnum):
    """How the observed world differs from the record."""

    MISSING = "missing"  # the published file is gone
    TAMPERED = "tampered"  # the published file has other bytes
    EXPIRED = "expired"  # the provider no longer keeps it, and we hold no file
    TEMPLATE_CHANGED = "template_changed"  # made when its template may have been another than recorded


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded picture. A fold of the log: every change of it is carried by an entry."""

    key: AssetKey
    status: Status
    fingerprint: Fingerprint | None  # of what is stored or rendered; None when nothing ever succeeded
    spec: RenderSpec | None  # the spec behind `fingerprint`; None with it
    artifact: Artifact | None  # None unless published
    output: str  # path the manifest asked for at the newest attempt, below the output root
    url: str | None = None  # where the provider keeps it, without query; None when not known
    failure: Failure | None = None  # of the newest attempt; None when it succeeded
    attempt: str | None = None  # id of the attempt that made or failed it; None after an import
    rendered_at: str | None = None  # ISO 8601 UTC; None when never rendered
    attempts: int = 0  # times it was submitted
    tainted: bool = False  # True: render again at the next apply
    drift: DriftKind | None = None  # what the newest refresh saw; None: as recorded
    protect: bool = False  # recorded, so that removing the manifest does not lift it


class Action(StrEnum):
    """What to do with one asset."""

    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    DELETE = "delete"
    REPAIR = "repair"
    PROTECT = "protect"  # record `protect: true`, and nothing else
    UNPROTECT = "unprotect"  # record that `protect: true` is gone, and nothing else
    AWAIT = "await"
    BLOCKED = "blocked"
    KEEP = "keep"


class Reason(StrEnum):
    """Why that action."""

    NEW = "new"
    VARIABLES_CHANGED = "variables_changed"
    TEMPLATE_CHANGED = "template_changed"
    SPEC_CHANGED = "spec_changed"
    ENGINE_CHANGED = "engine_changed"
    PROVIDER_CHANGED = "provider_changed"
    RENAMED = "renamed"
    OUTPUT_CHANGED = "output_changed"
    FAILED_BEFORE = "failed_before"
    TAINTED = "tainted"
    MISSING = "missing"
    EXPIRED = "expired"
    TAMPERED = "tampered"
    REQUESTED = "requested"
    NOT_IN_MANIFEST = "not_in_manifest"
    PROTECTED = "protected"
    PROTECT_CHANGED = "protect_changed"
    IN_FLIGHT = "in_flight"
    UP_TO_DATE = "up_to_date"
    TAKEN_BACK = "taken_back"
    PATH_TAKEN = "path_taken"
    BELOW_MINIMUM = "below_minimum"  # fewer than their provider takes in one batch


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between desired and recorded for one key."""

    key: AssetKey
    action: Action
    reason: Reason
    asset: Asset | None  # None when it is no longer desired
    record: Record | None  # None when it was never recorded
    source: Record | None = (
        None  # an artifact with an equal fingerprint to move or copy instead of rendering; else None
    )
    holder: AssetKey | None = None  # whose path the picture would take (PATH_TAKEN); else None

    @property
    def renders(self) -> bool:
        """Whether the change asks the provider for a picture."""
        wanted = self.action in (Action.CREATE, Action.UPDATE, Action.REPAIR)
        return wanted and self.source is None and self.asset is not None

    @property
    def is_copied(self) -> bool:
        """Whether the picture of another asset is copied instead of rendered."""
        return self.source is not None and self.action is not Action.MOVE

    @property
    def is_fetched_again(self) -> bool:
        """Whether a repair may do without a render: its bytes are known, and so is where they were."""
        record = self.record
        if self.action is not Action.REPAIR or self.asset is None or self.source is not None or record is None:
            return False
        lost = record.drift in (DriftKind.MISSING, DriftKind.TAMPERED)
        return lost and record.url is not None and record.artifact is not None

    @property
    def protection(self) -> bool | None:
        """The protection that is recorded anew; None: it is as recorded, or nothing is recorded or desired."""
        held = self.source if self.action is Action.MOVE else self.record
        if self.asset is None or held is None or self.asset.protect == held.protect:
            return None
        claimed = self.action is Action.AWAIT and held.status is not Status.RENDERED  # by a batch, with a protection
        return None if claimed else self.asset.protect


@dataclass(frozen=True, slots=True)
class Group:
    """What all items of a batch share: one request asks for one template, format and set of options."""

    provider: str
    template: str
    format: str
    options: str
    engine: str


@dataclass(frozen=True, slots=True)
class Item:
    """One variable set in a batch. `keys[l]` are the assets that its picture in layout number `l` satisfies."""

    index: int  # zero-based position in the batch
    variables: str  # digest of the canonical variables
    keys: tuple[tuple[AssetKey, ...], ...]  # one tuple per layout; several keys when their inputs are equal


@dataclass(frozen=True, slots=True)
class Batch:
    """One request to a provider: every item in every layout."""

    group: Group
    layouts: tuple[str, ...]  # sorted
    items: tuple[Item, ...]  # ordered by their first key

    @property
    def renders(self) -> int:
        """Pictures that the provider will make and bill."""
        return len(self.layouts) * len(self.items)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider allows and promises: data, by plan, never constants in code."""

    min_items: int = 1  # items in a batch (sync.so: 20)
    max_items: int = 100  # items in a batch (Pictify, Batch render: maxItems 100)
    max_bytes: int | None = None  # bytes of one request body; None: no limit known
    max_open: int | None = 1  # batches open at once; None: unlimited
    requests_per_minute: int | None = None  # None: no limit known
    many_layouts: bool = True  # a batch may render several layouts
    urls_in_results: bool = True  # False: URLs come by webhook or look-up only
    honours_idempotency_key: bool = False  # True: an in-doubt batch is sent again with its key, at once
    key_seconds: float | None = 86_400.0  # that a key is remembered (Pictify, Overview: 24 hours); None: for ever
    retention_seconds: int | None = 7 * 86400  # results kept (Pictify, Batch Operations: 7 days); None: for ever
    can_cancel: bool = True
    can_find: bool = False  # a past render can be looked up
    post_seconds: float = 120.0  # from the intent until its POST has left or never will, its time-outs included
    poll_seconds: float = 5.0  # between polls of a batch, at most (Pictify, Batch guide: "every 5 seconds")
    stall_seconds: float = 1_800.0  # that a batch may show nothing new; then it counts as stalled
    item_seconds: float = 60.0  # that one item takes at most
    turnaround_seconds: float | None = None  # that a batch takes in all; None: as long as a stall, and its items

    def longest_seconds(self, items: int) -> float:
        """Return how long a batch of so many items may take in all, in seconds."""
        if self.turnaround_seconds is not None:
            return self.turnaround_seconds
        return self.stall_seconds + self.item_seconds * items


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What holds of a provider as it is set up, beside what it allows."""

    embedded: bool = False  # it works inside this process, and stops with it
    billed: bool = True  # renders cost something
    templates_are_private: bool = False  # it holds the templates that were pushed from here, and no others
