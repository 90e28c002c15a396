"""What may be shown of a batch, and the documented shapes of its results: pure functions over one view of it.

nested = OpenAPI (Get batch results); names = guide and vendor's SDKs (no URLs); flat, legacy = docs of January;
dashboard = what the vendor's own pages read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pictify_sync.providers.pictify.server.wire import digest, instant


@dataclass(frozen=True, slots=True)
class PictureView:
    """One layout of one item: a file, or the reason why there is none."""

    layout: str
    name: str  # display name of the layout
    file: str | None
    width: int | None  # pixels
    height: int | None
    code: str  # "" when rendered
    message: str
    id: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One finished item."""

    position: int
    names: Sequence[str]  # of its variables
    variables: str | None  # canonical JSON; None unless asked for
    pictures: Sequence[PictureView]

    @property
    def success(self) -> bool:
        """Whether at least one layout was rendered."""
        return any(one.file for one in self.pictures)


@dataclass(frozen=True, slots=True)
class BatchView:
    """Everything that any result dialect shows of one batch."""

    id: str
    template: str
    status: str
    format: str
    total: int
    done: int  # items with a picture
    failed: int  # items without any
    created: float
    started: float | None
    completed: float | None
    items: Sequence[ItemView]
    late: bool = False  # by the clock there should be more items, but rendering is behind

    @property
    def open(self) -> bool:
        """Whether there is still something to render."""
        return self.status in ("pending", "processing")


def picture_id(batch: str, position: int, layout: str) -> str:
    """The id of one render: the same whenever it is asked for."""
    return f"img_{digest(f'{batch}/{position}/{layout}')[:16]}"


Shape = dict[str, object]
Link = Callable[[str], str]  # file name -> URL
Project = Callable[[BatchView, Link], Shape]


def picture_shape(one: PictureView, format_name: str, link: Link) -> Shape:
    """One rendered layout, as OpenAPI writes it."""
    assert one.file is not None
    size = {"width": one.width, "height": one.height, "format": format_name, "id": one.id}
    return {"layout": one.layout, "name": one.name, "url": link(one.file), **size}


def failure_shape(one: PictureView) -> Shape:
    """One failed layout; `message` says more than the documented reason in `error`."""
    return {"layout": one.layout, "error": one.code, "message": one.message}


def _counts(view: BatchView) -> Shape:
    progress = 100 if not view.open else (view.done + view.failed) * 100 // view.total
    counts = {"totalItems": view.total, "completedItems": view.done, "failedItems": view.failed}
    times = {"createdAt": view.created, "startedAt": view.started, "completedAt": view.completed}
    reached = {name: instant(at) for name, at in times.items() if at is not None}
    return {"batchId": view.id, "status": view.status, "progress": progress, **counts, **reached}


def _failures(item: ItemView) -> list[PictureView]:
    return [one for one in item.pictures if one.file is None]


def _reason(item: ItemView) -> Shape:
    """The failure of a whole item: that of its first layout."""
    return {} if item.success else {"error": _failures(item)[0].code, "message": _failures(item)[0].message}


def _errors(view: BatchView) -> Shape:
    """The list beside `results`, absent when nothing failed (the vendor's Python client refuses null)."""
    found = [{"index": item.position, **failure_shape(one)} for item in view.items for one in _failures(item)]
    return {"errors": found} if found else {}


def _names(item: ItemView) -> Shape:
    return {"index": item.position, "success": item.success, "variables": item.names, **_reason(item)}


def names(view: BatchView, link: Link) -> Shape:  # noqa: ARG001
    """Per item its success and the names of its variables; no URL anywhere."""
    return {**_counts(view), "results": [_names(item) for item in view.items], **_errors(view)}


def nested(view: BatchView, link: Link) -> Shape:
    """Per item a list of pictures and one of failures."""
    results = []
    for item in view.items:
        rendered = [picture_shape(one, view.format, link) for one in item.pictures if one.file]
        results.append({**_names(item), "results": rendered, "errors": [failure_shape(one) for one in _failures(item)]})
    return {**_counts(view), "results": results, **_errors(view)}


def _first(item: ItemView, view: BatchView, link: Link) -> Shape:
    rendered = [picture_shape(one, view.format, link) for one in item.pictures if one.file]
    return rendered[0] if rendered else {}


def flat(view: BatchView, link: Link) -> Shape:
    """Per item its URL and size beside its index: one layout only."""
    results = []
    for item in view.items:
        shown = {name: one for name, one in _first(item, view, link).items() if name in ("url", "width", "height")}
        results.append({"index": item.position, "success": item.success, **shown, **_reason(item)})
    return {**_counts(view), "results": results}


def legacy(view: BatchView, link: Link) -> Shape:
    """An envelope `batch` with counts of other names, and values of variables; needs a view with values."""
    counts = {"totalCount": view.total, "completedCount": view.done, "failedCount": view.failed}
    results = []
    for item in view.items:
        shown = {name: one for name, one in _first(item, view, link).items() if name in ("url", "id")}
        status = "completed" if item.success else "failed"
        values = json.loads(item.variables or "{}")
        results.append({"index": item.position, "status": status, **shown, "variables": values, **_reason(item)})
    page = {"page": 1, "limit": max(len(results), 1), "total": len(results), "totalPages": 1}
    batch = {"id": view.id, "templateUid": view.template, "status": view.status, **counts}
    return {"batch": batch, "results": results, "pagination": page}


def dashboard(view: BatchView, link: Link) -> Shape:
    """URLs of what was rendered in `results`, failures only beside it."""
    results = [{"index": item.position, **_first(item, view, link)} for item in view.items if item.success]
    return {**_counts(view), "results": results, **_errors(view)}


def accepted(body: Mapping[str, object], dialect: str) -> Mapping[str, object]:
    """The answer to a create; in January's docs a batch had an `id`, and counts."""
    if dialect != "legacy":
        return body
    other = {"batchId": "id", "totalItems": "totalCount"}
    return {other.get(name, name): value for name, value in body.items()}


def cancelled(body: Mapping[str, object], view: BatchView, dialect: str) -> Mapping[str, object]:
    """The answer to a cancel; in January's docs with all counts."""
    if dialect != "legacy":
        return body
    counts = {"totalCount": view.total, "completedCount": view.done, "failedCount": view.failed}
    skipped = view.total - view.done - view.failed if view.status == "cancelled" else 0
    return {"id": view.id, "status": view.status, **counts, "cancelledCount": skipped}


PROJECTIONS: Mapping[str, Project] = {
    "nested": nested, "names": names, "flat": flat, "legacy": legacy, "dashboard": dashboard,
}  # fmt: skip
