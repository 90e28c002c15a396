"""Which documented shape an answer has: for a live check, which tells what a service can be relied on for.

`dialects` reads every shape without asking which it is; this module names it. It never raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pictify_sync.core.abilities import ResultsShape

Json = Mapping[str, object]


def results_shape(body: object) -> ResultsShape | None:
    """Name the shape of a results answer; None when it tells of no item that was made.

    legacy: an envelope `batch` (docs of January); nested: a list of pictures per item (OpenAPI); names: no URL anywhere
    (guide, SDKs); dashboard: a URL and no word of success (vendor's pages); flat: a URL beside it (docs of January).
    """
    found = body if isinstance(body, dict) else {}
    items = [one for one in _objects(found.get("results")) if one.get("success") is not False and not one.get("error")]
    if not items:
        return None
    pictures = [picture for item in items for picture in _objects(item.get("results"))]
    told = [*pictures, *(item.get("result") for item in items), *items]
    urls = any(isinstance(one, dict) and (one.get("url") or one.get("userStorageUrl")) for one in told)
    return ResultsShape(_name(found, items, pictures), urls, bool(pictures) and all(map(_names_layout, pictures)))


def _name(body: Json, items: Sequence[Json], pictures: Sequence[Json]) -> str:
    if isinstance(body.get("batch"), dict):
        return "legacy"
    if pictures:
        return "nested"
    if not any(one.get("url") or one.get("userStorageUrl") or one.get("result") for one in items):
        return "names"
    if any(isinstance(one.get("result"), dict) for one in items):
        return ""
    return "flat" if all("success" in one for one in items) else "dashboard"


def _names_layout(picture: Json) -> bool:
    return isinstance(picture.get("layout"), str) and bool(picture["layout"])


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))
