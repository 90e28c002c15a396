"""Pictify's API (or a server compatible with it) as a Provider: routes, bodies, and what each answer to a POST means.

Sources: Pictify, Templates, Batch render, Get batch results, Cancel batch. A batch is never sent twice from here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from pictify_sync.core.abilities import Made, RemoteTemplate, ResultsShape, SingleResult, Subscription
from pictify_sync.core.collect import FoundRender
from pictify_sync.core.model import Capabilities
from pictify_sync.core.outcomes import (
    Accepted,
    BatchReport,
    BatchRequest,
    BatchStatus,
    Failed,
    InDoubt,
    NotSent,
    Outcome,
    Refused,
    Rendered,
    Submission,
)
from pictify_sync.core.template import TemplateRecord, TemplateSource
from pictify_sync.errors import BatchUnaskable, ProviderUnavailable
from pictify_sync.providers.pictify.account import Account, has_more, segment
from pictify_sync.providers.pictify.dialects import read_results
from pictify_sync.providers.pictify.shapes import results_shape
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Answer, Http, refuse, unsent
from pictify_sync.providers.transport.rate import Throttled

# Statuses by which the provider says for certain that it took nothing. Every other one leaves the batch in doubt.
REFUSALS = {400, 401, 402, 403, 404, 405, 406, 411, 413, 414, 415, 422, 429, 431, 451}
FIRST_WAIT, LONGEST_WAIT = 2.0, 120.0  # seconds after a 429 that does not say how long
LONGEST_ID = 500  # characters of a batch id that fit into a URL
PLAIN_ID = re.compile(r"[A-Za-z0-9._~-]+")
REFUSED_FOR_NOW = {401, 402, 403, 407, 408, 425, 429, 451}  # 404 and 410 are looked at before
NAMED = re.compile(r"/([0-9a-f]{64})\.[a-z]+$")  # at the end of a URL of the embedded server
POLL_AGAIN = 2.0  # seconds, while a new batch may not be visible yet


@dataclass(frozen=True, slots=True)
class Opened:
    """What a provider holds open until it is closed, in this order."""

    http: Http
    downloads: Downloads
    close_server: Callable[[], None] = lambda: None  # of an embedded server
    names_sensitive: bool = False  # True: it is told which variables are sensitive, an extension of the embedded one


class PictifyProvider:
    """One account at one base URL.

    `grace` is how long, in seconds, a batch may be unknown to the service after this process first heard of it;
    `instance` is which of many embedded servers this is, "" for an account.
    """

    def __init__(
        self, name: str, opened: Opened, capabilities: Capabilities, *, grace: float = 15.0, instance: str = ""
    ) -> None:
        self.name = name
        self.instance = instance
        self.webhook_format = PictifyWebhooks()
        self._opened = opened
        self._http = opened.http
        self._account = Account(opened.http, name)
        self._capabilities = capabilities
        self._grace = grace
        self._heard: dict[str, float] = {}  # open batch -> when this process first heard of it (monotonic)
        self._turned_away = 0  # 429 in a row

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def push_template(self, source: TemplateSource, uid: str | None) -> str:
        return self._account.push(source, uid)

    def observe_template(self, uid: str) -> TemplateRecord | None:
        return self._account.observe(uid)

    def list_templates(self) -> Iterator[RemoteTemplate]:
        return self._account.templates()

    def delete_template(self, uid: str) -> bool:
        return self._account.delete_template(uid)

    def subscribe(self, event: str, target_url: str, template_uid: str = "") -> Subscription:
        return self._account.subscribe(event, target_url, template_uid)

    def subscriptions(self) -> Iterator[Subscription]:
        return self._account.subscriptions()

    def unsubscribe(self, uid: str) -> bool:
        return self._account.unsubscribe(uid)

    def clock_ahead(self) -> float:
        return self._account.clock_ahead()

    def found_renders(self, template_uid: str, since: float) -> Iterator[FoundRender]:
        return self._account.found_renders(template_uid, since)

    def results_shape(self, batch_id: str) -> ResultsShape | None:
        answer = self._http.get(f"templates/batch/{segment(batch_id)}/results")
        if not answer.ok:
            raise refuse(answer, f"asking for the batch {batch_id}")
        return results_shape(answer.body)

    def listed_renders(self, template_uid: str) -> int | None:
        return self._account.listed(template_uid)

    def submit(self, request: BatchRequest) -> Submission:
        body: dict[str, object] = {"variableSets": list(request.variable_sets), **_how(request)}
        if self._opened.names_sensitive and request.sensitive:
            body["sensitiveVariables"] = sorted(request.sensitive)
        found = self._post(f"templates/{segment(request.template_uid)}/batch-render", body, request.idempotency_key)
        if not isinstance(found, Answer):
            return found
        batch = _batch_id(found.body)
        if not _is_askable(batch):
            why = "with a batch id that no URL can name" if batch else "without a batch id"
            return InDoubt(f"status {found.status} {why}")
        self._heard[batch] = self._http.clock.monotonic()
        return Accepted(batch)

    def render_one(self, request: BatchRequest) -> SingleResult:
        (variables,) = request.variable_sets
        path = f"templates/{segment(request.template_uid)}/render"
        found = self._post(path, {"variables": variables, **_how(request)}, request.idempotency_key)
        if not isinstance(found, Answer):
            return found
        body = found.body if isinstance(found.body, dict) else {}
        if not isinstance(body.get("results"), list) and not isinstance(body.get("errors"), list):
            return InDoubt(f"status {found.status} without results")
        # The answer has the shape of one item of a batch's nested results (Pictify, Single render).
        item = {"index": 0, "results": body.get("results"), "errors": body.get("errors")}
        report = read_results({"status": "completed", "results": [item]}, 1, request.layouts)
        return Made({layout: self._cleaned(one) for (_, layout), one in report.outcomes.items()})

    def _post(self, path: str, body: Mapping[str, object], key: str) -> Answer | Refused | NotSent | InDoubt:
        """Send a call that creates work, at most once; gives the answer only if it is a success."""
        try:
            answer = self._http.once("POST", path, body, headers={"Idempotency-Key": key})
        except Throttled as error:
            return Refused("RATE_LIMITED", error.message, error.seconds)
        except httpx.RequestError as error:
            detail = self._http.describe(error)
            return NotSent(detail) if unsent(error) else InDoubt(detail)
        if answer.status != 429:
            self._turned_away = 0
        if answer.ok:
            return answer
        detail = f"status {answer.status} {answer.text}".strip()
        if answer.status not in REFUSALS:
            return InDoubt(detail)
        stops = answer.quota or answer.status in (401, 403)
        wait = self._wait(answer) if answer.status == 429 and not stops else None
        return Refused(answer.code, answer.text or detail, wait, stops_run=stops, template_missing=answer.status == 404)

    def _wait(self, answer: Answer) -> float:
        self._turned_away += 1
        if answer.retry_after is not None:
            return answer.retry_after
        return min(FIRST_WAIT * 2.0 ** min(self._turned_away - 1, 10), LONGEST_WAIT)

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        first = self._heard.setdefault(batch_id, self._http.clock.monotonic())
        if not _is_askable(batch_id):
            raise BatchUnaskable("no URL can name it")
        answer = self._http.get(f"templates/batch/{segment(batch_id)}/results")
        if answer.status in (404, 410):
            if answer.status == 404 and self._http.clock.monotonic() - first < self._grace:
                return BatchReport(BatchStatus.OPEN, {}, retry_after=POLL_AGAIN)
            return BatchReport(BatchStatus.EXPIRED, {})
        if _is_odd(batch_id, answer):
            raise BatchUnaskable(refuse(answer, f"asking for the batch {batch_id}").message)
        if not answer.ok:
            raise refuse(answer, f"asking for the batch {batch_id}")
        if not isinstance(answer.body, dict):
            raise ProviderUnavailable(
                f"asking for the batch {batch_id}: the answer is not JSON", hint="try again later"
            )
        if (told := _batch_id(answer.body)) not in ("", batch_id):
            raise ProviderUnavailable(f"asking for the batch {batch_id}: the answer is about {told}")
        report = read_results(self._whole(batch_id, answer.body, items), items, layouts, answer.retry_after)
        if report.status is not BatchStatus.OPEN:
            self._heard.pop(batch_id, None)
        return replace(report, outcomes={place: self._cleaned(one) for place, one in report.outcomes.items()})

    def _whole(self, batch_id: str, body: dict[str, Any], items: int) -> object:
        """All pages of the results, where the answer says that there are more (docs of January: 1 to 100 a page)."""
        told = body.get("pagination")
        size = told.get("limit") if isinstance(told, dict) else None
        pages, last = [body], body
        while isinstance(size, int) and size > 0 and len(pages) * size < items and has_more(last, len(pages)):
            path = f"templates/batch/{segment(batch_id)}/results"
            answer = self._http.get(path, {"page": len(pages) + 1, "limit": size})
            if not answer.ok or not isinstance(answer.body, dict):
                raise refuse(answer, f"asking for page {len(pages) + 1} of the batch {batch_id}")
            last = answer.body
            pages.append(last)
        listed = (page.get("results") for page in pages)
        rows = [row for one in listed if isinstance(one, list) for row in one]
        return body if len(pages) == 1 else {**body, "results": rows}

    def _cleaned(self, one: Outcome) -> Outcome:
        if isinstance(one, Rendered):
            return one
        return Failed(self._http.clean(one.code), self._http.clean(one.message))

    def download(self, url: str) -> Iterator[bytes]:
        return self._opened.downloads.stream(url)

    def sha256_in(self, url: str) -> str:
        named = NAMED.search(url) if self.instance else None
        return named[1] if named else ""

    def cancel(self, batch_id: str) -> None:
        # Neither body nor content type: the service refuses an empty body that claims to be JSON.
        try:
            answer = self._http.once("POST", f"templates/batch/{segment(batch_id)}/cancel")
        except httpx.RequestError as error:
            raise ProviderUnavailable(f"cancelling {batch_id}: {self._http.describe(error)}") from None
        if not answer.ok and answer.status not in (404, 409, 410):
            raise refuse(answer, f"cancelling {batch_id}")

    def close(self) -> None:
        self._opened.downloads.close()
        self._http.close()
        self._opened.close_server()


def _how(request: BatchRequest) -> dict[str, object]:
    """How to render: `layout` would fall back to the base size in silence, so that layouts are always a list."""
    how: dict[str, object] = {"format": request.format, "layouts": list(request.layouts)}
    quality = json.loads(request.options).get("quality")
    return how if quality is None else {**how, "quality": quality}


def _batch_id(body: object) -> str:
    """`batchId`, or `id` as in the docs of January, in the answer or in what wraps it; "" when there is none to use."""
    if not isinstance(body, dict):
        return ""
    places = [body, *(inner for name in ("batch", "data") if isinstance(inner := body.get(name), dict))]
    found = next((place[name] for name in ("batchId", "id") for place in places if place.get(name)), "")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def _is_askable(batch_id: str) -> bool:
    """Whether an id can be a segment of a path: servers drop dots, and some refuse what does not print."""
    return 0 < len(batch_id) <= LONGEST_ID and batch_id.isprintable() and batch_id.strip(". ") != ""


def _is_odd(batch_id: str, answer: Answer) -> bool:
    """Whether an answer is about the id itself: no key, no waiting and no other day would change it.

    An id of letters that every server takes is not to blame for redirects and pages.
    """
    if 400 <= answer.status < 500:
        return answer.status not in REFUSED_FOR_NOW
    is_plain = PLAIN_ID.fullmatch(batch_id) is not None
    elsewhere = 300 <= answer.status < 400 or (answer.ok and not isinstance(answer.body, dict))
    told, has_status = _batch_id(answer.body), isinstance(answer.body, dict) and "status" in answer.body
    other = answer.ok and told != batch_id and not (told == "" and has_status)
    return not is_plain and (elsewhere or other)
