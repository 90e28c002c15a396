"""One vocabulary for actions, reasons and counts, and one line of words, used by every report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from pictify_sync.core.drift import CHANGED, LOST
from pictify_sync.core.model import Action, Batch, DriftKind, Reason, Status


class Tone(StrEnum):
    """What a line is about. How that looks is the terminal's business."""

    PLAIN = "plain"
    HEAD = "head"
    FAINT = "faint"
    ADD = "add"
    ALTER = "alter"
    MOVE = "move"
    REMOVE = "remove"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Line(NamedTuple):
    """Text without a line end, already safe to show."""

    text: str
    tone: Tone = Tone.PLAIN


BLANK = Line("")

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.MOVE: ">",
    Action.DELETE: "-",
    Action.REPAIR: "!",
    Action.PROTECT: "#",
    Action.UNPROTECT: "#",
    Action.AWAIT: "*",
    Action.BLOCKED: "x",
    Action.KEEP: "=",
}

TONES = {
    Action.CREATE: Tone.ADD,
    Action.UPDATE: Tone.ALTER,
    Action.MOVE: Tone.MOVE,
    Action.DELETE: Tone.REMOVE,
    Action.REPAIR: Tone.WARN,
    Action.PROTECT: Tone.MOVE,
    Action.UNPROTECT: Tone.WARN,
    Action.AWAIT: Tone.FAINT,
    Action.BLOCKED: Tone.WARN,
    Action.KEEP: Tone.FAINT,
}

COUNTED = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.MOVE: "to move",
    Action.DELETE: "to delete",
    Action.REPAIR: "to repair",
    Action.PROTECT: "to protect",
    Action.UNPROTECT: "to unprotect",
    Action.AWAIT: "awaited",
    Action.BLOCKED: "blocked",
    Action.KEEP: "unchanged",
}

REASONS = {
    Reason.NEW: "new",
    Reason.VARIABLES_CHANGED: "variables changed",
    Reason.TEMPLATE_CHANGED: "template changed",
    Reason.SPEC_CHANGED: "format or options changed",
    Reason.ENGINE_CHANGED: "engine or fonts changed",
    Reason.PROVIDER_CHANGED: "provider changed",
    Reason.RENAMED: "renamed",
    Reason.OUTPUT_CHANGED: "output path changed",
    Reason.FAILED_BEFORE: "failed before",
    Reason.TAINTED: "tainted",
    Reason.MISSING: "file is missing",
    Reason.EXPIRED: "provider no longer keeps it",
    Reason.TAMPERED: "file was changed",
    Reason.REQUESTED: "asked for by --replace",
    Reason.NOT_IN_MANIFEST: "no longer in a manifest",
    Reason.PROTECTED: "no longer in a manifest, but protected",
    Reason.PROTECT_CHANGED: "protect changed in the manifest",
    Reason.IN_FLIGHT: "in a batch that is still open",
    Reason.UP_TO_DATE: "up to date",
    Reason.TAKEN_BACK: "what failed is no longer asked for",
    Reason.PATH_TAKEN: "its output path belongs to another picture",
    Reason.BELOW_MINIMUM: "waits: too few for a batch of its provider",
}

PROTECTIONS = {True: "protected from now on", False: "no longer protected from deletion"}

STATUSES = {
    Status.STORED: "stored",
    Status.RENDERED: "rendered, its URL is not known yet",
    Status.FAILED: "failed",
}

DRIFTS = {
    DriftKind.MISSING: "its file is missing",
    DriftKind.TAMPERED: "its file has other bytes than recorded",
    DriftKind.EXPIRED: "the provider no longer keeps it",
    DriftKind.TEMPLATE_CHANGED: "its template was another at the provider",
}

TEMPLATE_DRIFTS = {
    CHANGED: "changed at the provider",
    LOST: "no longer known to the provider",
}

# Failure code -> cause, and what to do. These codes are our own; each provider hands in those that it reports.
REMEDIES: Mapping[str, str] = {
    "BAD_DOWNLOAD": "what came back is not the picture that was requested: apply again, which renders it again",
    "BATCH_LOST": "the provider accepted the batch and no longer knows it: apply again, or ask its support",
    "DOWNLOAD_FAILED": "the picture is rendered: the next apply or collect fetches it without another render",
    "NO_OUTCOME": "the provider never reported a result: apply again",
    "PATH_TAKEN": "give one of both another `output`, or apply what moves or deletes the other one first, or with it",
}


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 batch`, `12,000 batches`."""
    word = noun if number == 1 else plural or f"{noun}s"
    return f"{number:,} {word}"


def pictures(number: int) -> str:
    """Return `1 picture`, `12,000 pictures`."""
    return count(number, "picture")


def batches(number: int) -> str:
    """Return `1 batch`, `2 batches`."""
    return count(number, "batch", "batches")


def share(part: float) -> str:
    """Return `12.3 %`; what is more than nothing never reads as nothing, nor what is less than all as all."""
    if 0 < part < 0.001:
        return "below 0.1 %"
    if 0.999 < part < 1:
        return "above 99.9 %"
    return f"{part:.1%}".replace("%", " %").replace(".0 ", " ")


def duration(seconds: float) -> str:
    """Return `8 s`, `3 min 20 s`, `2 h 5 min`, `3 days 4 h`."""
    whole = round(seconds)
    if whole >= 172_800:
        days, hours = whole // 86_400, whole % 86_400 // 3600
        return f"{days} days {hours} h" if hours else f"{days} days"
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def postponed(number: int) -> str:
    """State that pictures are too few for a batch."""
    verb = "waits" if number == 1 else "wait"
    return f"{pictures(number)} {verb} until there are more: the provider takes no batch of so few"


def listing(parts: Iterable[str]) -> str:
    """Join with commas and a last `and`."""
    words = list(parts)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def providers(all_batches: Iterable[Batch]) -> list[str]:
    """Name the providers of some batches, sorted."""
    return sorted({batch.group.provider for batch in all_batches})
