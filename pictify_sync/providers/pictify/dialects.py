"""Reads a batch's results in every documented shape (and mixtures of them): a pure function that never raises.

Shapes: nested (OpenAPI), names only (guide, SDKs), flat and legacy envelope (docs of January), dashboard. Rules where
they contradict each other: a failure may stand in the item, beside the results or inside the item, and counts wherever
it stands; a word of status that is not documented means open; pictures are found by index and layout, never by order;
an index or layout that was not asked for is ignored; what a terminal answer does not tell of has failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pictify_sync.core.outcomes import BatchReport, BatchStatus, Failed, Outcome, Rendered
from pictify_sync.providers.pictify.counts import contradiction, finished, number, objects

STATUSES = {
    "completed": BatchStatus.COMPLETED,
    "partial": BatchStatus.PARTIAL,
    "failed": BatchStatus.FAILED,
    "cancelled": BatchStatus.CANCELLED,
    "canceled": BatchStatus.CANCELLED,
}
SUCCEEDED = {"completed", "success", "succeeded", "rendered", "done"}
BROKEN = {"failed", "error", "errored", "cancelled", "canceled", "skipped"}
CODE = re.compile(
    r"([A-Za-z][A-Za-z0-9_]*_[A-Za-z0-9_]+)(?::\s*(.*))?", re.DOTALL
)  # IMAGE_FETCH_FAILED, or with a text
LONGEST_TEXT = 2_000  # characters of a provider's text that are kept

Json = Mapping[str, object]


@dataclass(slots=True)
class _Item:
    """What an answer tells of one index, gathered from all places."""

    success: bool | None = None  # None: not told
    failed: Failed | None = None  # the item as a whole
    outputs: dict[str, Rendered] = field(default_factory=dict)
    failures: dict[str, Failed] = field(default_factory=dict)  # by layout


def read_results(body: object, items: int, layouts: Sequence[str], retry_after: float | None = None) -> BatchReport:
    """Give the report of `items` variable sets, each in `layouts`, from the JSON of a results call."""
    envelopes = list(_envelopes(body))
    status = next((found for found in map(_status, envelopes) if found is not None), BatchStatus.OPEN)
    gathered: dict[int, _Item] = {}
    for envelope in envelopes:
        for one in objects(envelope.get("results")):
            if (index := _index(one, items)) is not None:
                _read_item(gathered.setdefault(index, _Item()), one, layouts)
        for one in objects(envelope.get("errors")):
            if (index := _index(one, items)) is not None:
                _read_error(gathered.setdefault(index, _Item()), one, layouts)
    outcomes: dict[tuple[int, str], Outcome] = {}
    untold = _untold(status, envelopes)
    for index in range(items) if untold else sorted(gathered):
        item = gathered.get(index)
        for layout in layouts:
            outcome = (_told(item, layout) if item is not None else None) or untold
            if outcome is not None:
                outcomes[index, layout] = outcome
    done = len({index for index, _ in outcomes})
    counted = max(map(finished, envelopes), default=0)
    ended = status not in (BatchStatus.OPEN, BatchStatus.CANCELLED)
    odd = contradiction(envelopes, outcomes, items, layouts) if ended else ""
    return BatchReport(status, outcomes, min(max(done, counted), items), retry_after, odd)


def _envelopes(body: object) -> Iterator[Json]:
    """The answer itself, and what it may be wrapped in or split into (legacy: `batch`; dashboard: `result`)."""
    if not isinstance(body, dict):
        return
    yield body
    for name in ("batch", "result", "data"):
        inner = body.get(name)
        if isinstance(inner, dict):
            yield inner


def _status(envelope: Json) -> BatchStatus | None:
    word = envelope.get("status")
    return STATUSES.get(word.strip().lower(), BatchStatus.OPEN) if isinstance(word, str) else None


def _index(one: Json, items: int) -> int | None:
    index = number(one.get("index"))
    return index if index is not None and index < items else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def failure(one: Json) -> Failed | None:
    """The failure that an object tells of in `error` (reason, text or object) and `message`; None: it tells none."""
    error, message = one.get("error"), _text(one.get("message"))
    code = _text(one.get("code")) or _text(one.get("errorCode"))
    if isinstance(error, dict):
        code = code or _text(error.get("code"))
        message = message or _text(error.get("message")) or _text(error.get("error"))
    elif isinstance(error, str) and error.strip():
        found = CODE.fullmatch(error.strip())
        code = code or (found.group(1) if found else "")
        message = message or (found.group(2) or "" if found else error.strip())
    elif not error:
        return None
    return Failed((code or "RENDER_FAILED")[:100], (message or code or "no reason given")[:LONGEST_TEXT])


def _read_item(item: _Item, one: Json, layouts: Sequence[str]) -> None:
    success = _success(one)
    if success is not None:
        item.success = success and item.success is not False
    if (failed := failure(one)) is not None:
        item.failed = item.failed or failed
    for inner in _pictures(one):
        layout = _layout(inner, layouts)
        if layout is None:
            continue
        if (failed := failure(inner)) is not None:
            item.failures.setdefault(layout, failed)
        elif url := _url(inner):
            size = (number(inner.get("width")), number(inner.get("height")))
            item.outputs.setdefault(layout, Rendered(url, *size, remote_id=_text(inner.get("id")) or None))
    for error in objects(one.get("errors")):
        _read_error(item, error, layouts)


def _success(one: Json) -> bool | None:
    told = one.get("success")
    if isinstance(told, bool):
        return told
    word = (_text(told) or _text(one.get("status"))).lower()
    if word in SUCCEEDED or word == "true":
        return True
    return False if word in BROKEN or word == "false" else None


def _pictures(one: Json) -> Iterator[Json]:
    """Everything in an item that may carry a URL: its inner results, a `result` object, itself."""
    yield from objects(one.get("results"))
    if isinstance(inner := one.get("result"), dict):
        yield inner
    if _url(one):
        yield {name: value for name, value in one.items() if name not in ("error", "message")}


def _layout(one: Json, layouts: Sequence[str]) -> str | None:
    """The layout it names, or the only one there is; None when it was not asked for or cannot be told."""
    named = one.get("layout")
    if isinstance(named, str) and named:
        return named if named in layouts else None
    return layouts[0] if len(layouts) == 1 else None


def _url(one: Json) -> str:
    return _text(one.get("url")) or _text(one.get("userStorageUrl"))


def _read_error(item: _Item, one: Json, layouts: Sequence[str]) -> None:
    failed = failure({"error": "RENDER_FAILED", **one}) if "error" not in one or one["error"] is None else failure(one)
    if failed is None:
        failed = Failed("RENDER_FAILED", "no reason given")
    named = one.get("layout")
    if not isinstance(named, str) or not named:
        item.failed = item.failed or failed
    elif named in layouts:
        item.failures.setdefault(named, failed)


def _untold(status: BatchStatus, envelopes: Sequence[Json]) -> Failed | None:
    """What became of a picture that an answer does not tell of; None: it may still come."""
    if status is BatchStatus.OPEN:
        return None
    if status is BatchStatus.CANCELLED:
        return Failed("CANCELLED", "the batch was cancelled before this picture was made")
    why = next((found for found in map(failure, envelopes) if found is not None), None)
    if status is BatchStatus.FAILED and why is not None:
        return why
    return Failed("NO_OUTCOME", "the provider's results do not mention this picture")


def _told(item: _Item, layout: str) -> Outcome | None:
    if layout in item.failures:
        return item.failures[layout]
    whole = item.failed or (Failed("RENDER_FAILED", "no reason given") if item.success is False else None)
    output = item.outputs.get(layout)
    if whole is not None:
        # A failure of the item is that of the layouts it names, if it names any; else nothing of the item is trusted.
        return output if output is not None and item.failures else whole
    if output is not None:
        return output
    # Success without a single picture: rendered, URL not known. With pictures of other layouts this one is missing.
    return Rendered(None) if item.success and not item.outputs else None
