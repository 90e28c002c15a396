"""Pictify's API (or a server compatible with it) as a Provider: routes, bodies, and what each answer to a POST means.

Sources: Pictify, Templates, Batch render, Get batch results, Cancel batch. A batch is never sent twice from here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import DEFAULT_LAYOUT, Capabilities
from pictify_sync.core.outcomes import (
    Accepted,
    BatchReport,
    BatchRequest,
    BatchStatus,
    Failed,
    InDoubt,
    NotSent,
    Refused,
    Submission,
)
from pictify_sync.core.template import LayoutSize, TemplateRecord, TemplateSource, VariableRule
from pictify_sync.errors import ProviderError, ProviderUnavailable
from pictify_sync.providers.dialects import read_results
from pictify_sync.providers.downloads import Downloads
from pictify_sync.providers.http import Answer, Http, refuse, unsent

# Statuses by which the provider says for certain that it took nothing. Every other one leaves the batch in doubt.
REFUSALS = {400, 401, 402, 403, 404, 405, 406, 411, 413, 414, 415, 422, 429, 431, 451}
FIRST_WAIT, LONGEST_WAIT = 2.0, 120.0  # seconds after a 429 that does not say how long
POLL_AGAIN = 2.0  # seconds, while a new batch may not be visible yet


@dataclass(frozen=True, slots=True)
class Opened:
    """What a provider holds open until it is closed, in this order."""

    http: Http
    downloads: Downloads
    close_server: Callable[[], None] = lambda: None  # of an embedded server


class PictifyProvider:
    """One account at one base URL.

    `grace` is how long, in seconds, a batch may be unknown to the service after this process first heard of it.
    """

    def __init__(self, name: str, opened: Opened, capabilities: Capabilities, *, grace: float = 15.0) -> None:
        self.name = name
        self._opened = opened
        self._http = opened.http
        self._capabilities = capabilities
        self._grace = grace
        self._heard: dict[str, float] = {}  # open batch -> when this process first heard of it (monotonic)
        self._turned_away = 0  # 429 in a row

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def push_template(self, source: TemplateSource, uid: str | None) -> str:
        body = template_body(source)
        if uid is not None:
            answer = self._http.put(f"templates/{_segment(uid)}", body)
            if answer.status != 404:
                return _uid(answer, f"updating the template {source.name}")
        # Nothing is rendered or billed by a create; one that is lost leaves an unused template behind.
        try:
            answer = self._http.once("POST", "templates", body)
        except httpx.TransportError as error:
            detail = self._http.describe(error)
            raise ProviderUnavailable(f"creating the template {source.name}: {detail}", hint="try again") from None
        return _uid(answer, f"creating the template {source.name}")

    def observe_template(self, uid: str) -> TemplateRecord | None:
        answer = self._http.get(f"templates/{_segment(uid)}")
        if answer.status == 404:
            return None
        if not answer.ok or not isinstance(answer.body, dict):
            raise refuse(answer, f"reading the template {uid}")
        wrapped = answer.body.get("template")
        return read_template(self.name, uid, wrapped if isinstance(wrapped, dict) else answer.body)

    def submit(self, request: BatchRequest) -> Submission:
        body: dict[str, object] = {"variableSets": list(request.variable_sets), "format": request.format.value}
        body["layouts"] = list(request.layouts)  # `layout` would fall back to the base size in silence
        if request.quality is not None:
            body["quality"] = request.quality
        path = f"templates/{_segment(request.template_uid)}/batch-render"
        try:
            answer = self._http.once("POST", path, body, headers={"Idempotency-Key": request.idempotency_key})
        except httpx.TransportError as error:
            detail = self._http.describe(error)
            return NotSent(detail) if unsent(error) else InDoubt(detail)
        found = self._classify(answer)
        if isinstance(found, Accepted):
            self._heard[found.batch_id] = time.monotonic()
        return found

    def _classify(self, answer: Answer) -> Submission:
        if answer.status != 429:
            self._turned_away = 0
        if answer.ok:
            batch = _batch_id(answer.body)
            return Accepted(batch) if batch else InDoubt(f"status {answer.status} without a batch id")
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
        first = self._heard.setdefault(batch_id, time.monotonic())
        answer = self._http.get(f"templates/batch/{_segment(batch_id)}/results")
        if answer.status in (404, 410):
            if answer.status == 404 and time.monotonic() - first < self._grace:
                return BatchReport(BatchStatus.OPEN, {}, retry_after=POLL_AGAIN)
            return BatchReport(BatchStatus.EXPIRED, {})
        if not answer.ok:
            raise refuse(answer, f"asking for the batch {batch_id}")
        if not isinstance(answer.body, dict):
            raise ProviderUnavailable(
                f"asking for the batch {batch_id}: the answer is not JSON", hint="try again later"
            )
        report = read_results(answer.body, items, layouts, answer.retry_after)
        if report.status is not BatchStatus.OPEN:
            self._heard.pop(batch_id, None)
        outcomes = {
            place: replace(one, message=self._http.clean(one.message)) if isinstance(one, Failed) else one
            for place, one in report.outcomes.items()
        }
        return replace(report, outcomes=outcomes)

    def download(self, url: str) -> Iterator[bytes]:
        return self._opened.downloads.stream(url)

    def cancel(self, batch_id: str) -> None:
        # Neither body nor content type: the service refuses an empty body that claims to be JSON.
        try:
            answer = self._http.once("POST", f"templates/batch/{_segment(batch_id)}/cancel")
        except httpx.TransportError as error:
            raise ProviderUnavailable(f"cancelling {batch_id}: {self._http.describe(error)}") from None
        if not answer.ok and answer.status not in (404, 409, 410):
            raise refuse(answer, f"cancelling {batch_id}")

    def close(self) -> None:
        self._opened.downloads.close()
        self._http.close()
        self._opened.close_server()


def _segment(text: str) -> str:
    """An id as one path segment: ids are opaque."""
    return quote(text, safe="").replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def _batch_id(body: object) -> str:
    """`batchId`, or `id` as in the docs of January."""
    if not isinstance(body, dict):
        return ""
    inner = body.get("batch")
    places = (body, inner) if isinstance(inner, dict) else (body,)
    found = next((place[name] for name in ("batchId", "id") for place in places if place.get(name)), "")
    return found if isinstance(found, str) else ""


def _uid(answer: Answer, what: str) -> str:
    if not answer.ok:
        raise refuse(answer, what)
    body = answer.body if isinstance(answer.body, dict) else {}
    template = body.get("template") if isinstance(body.get("template"), dict) else body
    uid = template.get("uid") if isinstance(template, dict) else None
    if not isinstance(uid, str) or not uid:
        raise ProviderError(f"{what}: the answer names no uid")
    return uid


def template_body(source: TemplateSource) -> dict[str, object]:
    """What a create or an update sends (Pictify, Templates: fields of the html engine)."""
    sizes = {name: {"width": one.width, "height": one.height, "name": one.name} for name, one in source.layouts.items()}
    base = sizes.pop(DEFAULT_LAYOUT)
    definitions = []
    for rule in source.variables:
        checks = {"required": rule.required, "maxLength": rule.max_length}
        shown: dict[str, object] = {"name": rule.name, "type": rule.type}
        shown["validation"] = {name: value for name, value in checks.items() if value is not None}
        if rule.default:
            shown["defaultValue"] = json.loads(rule.default)
        definitions.append(shown)
    shape = {"engine": "html", "outputFormat": "image", "html": source.html, "layouts": sizes}
    size = {"width": base["width"], "height": base["height"]}
    return {"name": source.name, **shape, **size, "variableDefinitions": definitions}


def read_template(provider: str, uid: str, body: Mapping[str, Any]) -> TemplateRecord:
    """What a provider holds, with a revision per layout over what shapes that layout's pictures."""
    listed = body.get("layouts") if isinstance(body.get("layouts"), dict) else {}
    layouts = {DEFAULT_LAYOUT: _size(body), **{str(name): _size(one) for name, one in (listed or {}).items()}}
    definitions = [one for one in body.get("variableDefinitions") or [] if isinstance(one, dict) and one.get("name")]
    rules = tuple(_rule(one) for one in definitions)
    kept = ("engine", "html", "fabricJSData", "outputFormat", "pdfPreset", "strictVariables", "jsEnabled")
    shape: list[object] = [body.get(name) for name in kept]
    shape.append([[rule.name, rule.type, rule.default, rule.required, rule.max_length] for rule in rules])
    shared = canonical(shape)
    revisions = {name: digest(canonical([shared, one.width, one.height])) for name, one in layouts.items()}
    name, html = str(body.get("name") or uid), str(body.get("html") or "")
    return TemplateRecord(name, provider, uid, "", revisions, html, variables=rules, layouts=layouts)


def _size(body: object) -> LayoutSize:
    found = body if isinstance(body, dict) else {}
    width, height, name = found.get("width"), found.get("height"), found.get("name")
    return LayoutSize(_pixels(width), _pixels(height), name if isinstance(name, str) else "")


def _pixels(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 < value < 100_000 else 0


def _rule(body: Mapping[str, Any]) -> VariableRule:
    checks = body.get("validation") if isinstance(body.get("validation"), dict) else {}
    default, longest = body.get("defaultValue"), (checks or {}).get("maxLength")
    kind = body.get("type")
    return VariableRule(
        str(body["name"]),
        kind if isinstance(kind, str) else "text",
        required=(checks or {}).get("required") is True,
        max_length=longest if isinstance(longest, int) else None,
        default="" if default in (None, "") else canonical(default),
    )
