"""Routes of an account besides batches: its templates, its webhook subscriptions, and renders of before.

Sources: Pictify, Templates, Webhook subscriptions, Renders (vendor's MCP server), Single render.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from pictify_sync.core.abilities import RemoteTemplate, Subscription
from pictify_sync.core.collect import FoundRender
from pictify_sync.core.template import TemplateRecord, TemplateSource
from pictify_sync.errors import ProviderError, ProviderUnavailable
from pictify_sync.providers.pictify.template_shapes import read_row, read_template, template_body, unwrapped
from pictify_sync.providers.pictify.webhooks import read_render
from pictify_sync.providers.transport.http import Answer, Http, refuse

PAGE = 100  # rows (Pictify, Templates: limit <= 100; Renders: likewise)
MAX_PAGES = 1_000  # of one listing

Json = Mapping[str, Any]


def segment(text: str) -> str:
    """An id as one path segment: ids are opaque."""
    return quote(text, safe="").replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


class Account:
    """What belongs to a key at one base URL. `name` is the provider's, for records."""

    def __init__(self, http: Http, name: str) -> None:
        self._http = http
        self._name = name

    def push(self, source: TemplateSource, uid: str | None) -> str:
        """Create the template, or update the one of that uid; gives the uid."""
        body = template_body(source)
        if uid is not None:
            answer = self._http.put(f"templates/{segment(uid)}", body)
            if answer.status != 404:
                return _uid(answer, f"updating the template {source.name}", uid)
        # Nothing is rendered or billed by a create; one that is lost leaves an unused template behind.
        what = f"creating the template {source.name}"
        return _uid(self._create("templates", body, what), what, None)

    def observe(self, uid: str) -> TemplateRecord | None:
        """What is held under uid; None when it is unknown."""
        answer = self._http.get(f"templates/{segment(uid)}")
        if answer.status == 404:
            return None
        if not answer.ok or not isinstance(answer.body, dict):
            raise refuse(answer, f"reading the template {uid}")
        return read_template(self._name, uid, unwrapped(answer.body))

    def templates(self) -> Iterator[RemoteTemplate]:
        """All templates, newest first."""
        seen: set[str] = set()
        for row in self._pages("templates", "templates", {"sort": "newest", "outputFormat": "all"}):
            found = read_row(row)
            if found is not None and found.uid not in seen:  # pages shift while they are read
                seen.add(found.uid)
                yield found

    def delete_template(self, uid: str) -> bool:
        """Remove it; False when it was not there."""
        return self._delete(f"templates/{segment(uid)}", f"deleting the template {uid}")

    def subscribe(self, event: str, target_url: str, template_uid: str) -> Subscription:
        """Make a subscription; the answer carries its secret."""
        body: dict[str, object] = {"event": event, "targetUrl": target_url, "platform": "custom"}
        if template_uid:
            body["filters"] = {"templateId": template_uid}
        what = f"subscribing to {event}"
        answer = self._create("webhook-subscriptions", body, what)
        if not answer.ok:
            raise refuse(answer, what)
        found = _subscription(answer.body)
        if found is None:
            raise ProviderError(f"{what}: the answer names no uid", hint="look at the list of subscriptions")
        return found

    def subscriptions(self) -> Iterator[Subscription]:
        """All subscriptions; their secrets are not told again."""
        for row in self._pages("webhook-subscriptions", "subscriptions", {}):
            if (found := _subscription(row)) is not None:
                yield found

    def unsubscribe(self, uid: str) -> bool:
        """Remove a subscription; False when it was not there."""
        return self._delete(f"webhook-subscriptions/{segment(uid)}", f"unsubscribing {uid}")

    def found_renders(self, template_uid: str, since: float) -> Iterator[FoundRender]:
        """Renders of a template since then, newest first, as far as rows tell their variables."""
        offset, since = 0, since + self.clock_ahead()
        for _ in range(MAX_PAGES):
            answer = self._look_up(template_uid, offset)
            if answer is None:
                return
            rows = _rows(answer.body, "renders")
            read = [one for row in rows if (one := read_render(row, template=template_uid)) is not None]
            found = [one for one in read if one.at is None or one.at >= since]
            yield from (one for one in found if one.variables and one.template_uid == template_uid)
            old = len(found) < len(read)
            # Rows without variables can belong to anybody: further pages of them would be asked for in vain.
            if old or not any(one.variables for one in found) or not _more(answer.body, rows, offset):
                return
            offset += len(rows)

    def listed(self, template_uid: str) -> int | None:
        """How many renders of a template the newest page of the look-up has; None: this service offers no look-up."""
        answer = self._look_up(template_uid, 0)
        return None if answer is None else len(_rows(answer.body, "renders"))

    def _look_up(self, template_uid: str, offset: int) -> Answer | None:
        about = {"format": "ALL", "template": template_uid, "source": "api"}
        answer = self._http.get("render", {**about, "limit": PAGE, "offset": offset})
        if answer.status in (400, 404, 405, 410, 501):  # this service offers no look-up
            return None
        if not answer.ok:
            raise refuse(answer, "looking up renders")
        return answer

    def clock_ahead(self) -> float:
        """Seconds by which the provider's clock is ahead of ours, by the dates of its answers."""
        if self._http.ahead is None:
            try:
                self._http.get("templates", {"page": 1, "limit": 1})  # any answer has a date
            except ProviderUnavailable:
                return 0.0
        return self._http.ahead or 0.0

    def _create(self, path: str, body: Mapping[str, object], what: str) -> Answer:
        try:
            return self._http.once("POST", path, body)
        except httpx.RequestError as error:
            raise ProviderUnavailable(f"{what}: {self._http.describe(error)}", hint="try again") from None

    def _delete(self, path: str, what: str) -> bool:
        answer = self._http.delete(path)
        if answer.status in (404, 410):
            return False
        if not answer.ok:
            raise refuse(answer, what)
        return True

    def _pages(self, path: str, name: str, query: Mapping[str, str | int]) -> Iterator[Json]:
        for page in range(1, MAX_PAGES + 1):
            answer = self._http.get(path, {"page": page, "limit": PAGE, **query})
            if not answer.ok or answer.body is None:
                raise refuse(answer, f"listing {name}")
            rows = _rows(answer.body, name)
            yield from rows
            if not rows or not _more(answer.body, rows, (page - 1) * PAGE):
                return


def _rows(body: object, name: str) -> list[Json]:
    """The rows of a listing: under their name, under `data`, or the answer itself."""
    if isinstance(body, dict):
        body = body.get(name) if isinstance(body.get(name), list) else body.get("data")
        if isinstance(body, dict):
            return _rows(body, name)
    return [row for row in body if isinstance(row, dict)] if isinstance(body, list) else []


def _more(body: object, rows: list[Json], offset: int) -> bool:
    """Whether another page may hold rows: as it says, else by the total, else when this one is full."""
    told = body.get("pagination") if isinstance(body, dict) else None
    told = told if isinstance(told, dict) else {}
    for name in ("hasMore", "hasNext"):
        if isinstance(told.get(name), bool):
            return bool(told[name]) and bool(rows)
    total = told.get("total")
    return offset + len(rows) < total if isinstance(total, int) and rows else len(rows) >= PAGE


def has_more(body: Json, page: int) -> bool:
    """Whether a page of results says that others follow."""
    told = body.get("pagination") if isinstance(body.get("pagination"), dict) else {}
    assert told is not None
    if isinstance(told.get("hasNext"), bool):
        return bool(told["hasNext"])
    pages = told.get("totalPages", told.get("pages"))
    if isinstance(pages, int):
        return page < pages
    total, size = told.get("total"), told.get("limit")
    return isinstance(total, int) and isinstance(size, int) and page * size < total


def _uid(answer: Answer, what: str, known: str | None) -> str:
    if not answer.ok:
        raise refuse(answer, what)
    uid = unwrapped(answer.body).get("uid") or known
    if not isinstance(uid, str) or not uid:
        raise ProviderError(f"{what}: the answer names no uid")
    return uid


def _subscription(body: object) -> Subscription | None:
    """A subscription, wrapped (newer docs) or bare (older)."""
    found = body if isinstance(body, dict) else {}
    if isinstance(inner := found.get("subscription"), dict):
        found = inner
    filters = found.get("filters") if isinstance(found.get("filters"), dict) else {}
    texts = [found.get("uid") or found.get("id"), *(found.get(name) for name in ("event", "targetUrl", "status"))]
    uid, event, target, status = (one if isinstance(one, str) else "" for one in texts)
    template, secret, failures = (filters or {}).get("templateId"), found.get("secret"), found.get("failureCount")
    if not uid:
        return None
    return Subscription(
        uid,
        event,
        target,
        status,
        template_uid=template if isinstance(template, str) else "",
        failures=failures if isinstance(failures, int) else 0,
        secret=secret if isinstance(secret, str) else "",
    )
