"""One HTTP connection to a provider: key, base URL, timeouts, rate, retries of safe calls, texts without secrets.

It knows no route and no dialect. A call that may create work is sent at most once; what its outcome means is decided by
`unsent` here and by the provider.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from pictify_sync.clients import client, header_value
from pictify_sync.credentials import forms, without_keys
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable, QuotaExhausted
from pictify_sync.inflate import PLAIN
from pictify_sync.providers.transport.bodies import ANSWER_SECONDS, TooLong, code_of, explain, parse, receive
from pictify_sync.providers.transport.rate import (
    LONGEST_TURN,
    Rate,
    RateHints,
    SystemClock,
    limits_told,
    until,
    wait_told,
)

if TYPE_CHECKING:
    from pydantic import SecretStr

TIMEOUT = httpx.Timeout(60.0, connect=15.0)  # seconds
ATTEMPTS = 5  # of a safe call
ANSWER_SHARE = 0.75  # of the seconds of a POST, until all of its answer is there
LONGEST_WAIT = 60.0  # seconds between two attempts, whatever Retry-After says
RETRIED = {408, 425, 429, 500, 502, 503, 504}
QUOTA_CODES = {"quota_exceeded", "spending_cap_reached", "ai_quota_exceeded", "template_limit_reached"}  # wire: Codes
QUOTA_WORDS = re.compile(r"quota|exhausted your plan|spending cap|(?:plan|monthly) limit|out of credits", re.IGNORECASE)
RENDERING_STOPPED = "RENDERING_STOPPED"  # of a server like ours: its render processes do not start
SECRETS = re.compile(r"((?:token|key|secret|signature|sig|password|credential)=)[^&\s\"']+", re.IGNORECASE)
DIGITS = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.IGNORECASE)  # a key of old, from a provider
SHOWN = 8_000  # bytes of an error page that are looked at
ELSEWHERE = "check the base URL: is it the address of the API?"
QUERIES = re.compile(r"(https?://[^\s\"'<>?]+)\?[^\s\"'<>]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any  # JSON as it came; None when it is none
    code: str  # the provider's own code, else the HTTP status; secrets removed
    text: str  # what it says, at most 2,000 characters; secrets removed
    retry_after: float | None  # seconds to wait; None: not told

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def quota(self) -> bool:
        """Whether renders are used up: 402, or 429 and 403 that say so (by a code, in 2025 by words alone)."""
        said = self.code.lower() in QUOTA_CODES or bool(QUOTA_WORDS.search(self.text))
        return self.status == 402 or (self.status in (403, 429) and said)


def post_timeout(seconds: float) -> httpx.Timeout:
    """Return the time-outs of a POST that may take so many seconds."""
    return httpx.Timeout(seconds / 2, connect=seconds / 8)


class _TryAgain(Exception):
    """A safe call that is worth another attempt."""

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


class Http:
    """Calls below one base URL (its path is kept as a prefix). `close` it at the end."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        transport: httpx.BaseTransport | None = None,
        rate: Rate | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        secret = header_value(key.get_secret_value(), "the API key")
        self._forms = forms(secret)
        self._rate = rate or Rate(SystemClock(), None)
        self.clock = self._rate.clock
        self._attempts = attempts
        self.answer_seconds = ANSWER_SECONDS
        self.post_seconds = 120.0  # that a POST may take, its answer included
        self._apart: tuple[float, float] | None = None  # the other clock less our monotonic one, in seconds: from, to
        headers = {"Authorization": f"Bearer {secret}", "Accept": "application/json", **PLAIN}
        shared: dict[str, Any] = {"base_url": base_url.rstrip("/") + "/", "headers": headers, "timeout": TIMEOUT}
        if transport is not None:
            shared["transport"] = transport
        self.client = client(**shared)
        # A connection that the server closed while it was idle would put a batch in doubt: each POST gets a fresh one.
        fresh = httpx.Limits(max_keepalive_connections=0)
        self._fresh = self.client if transport is not None else client(limits=fresh, **shared)
        self._jitter = wait_random_exponential(multiplier=0.5, max=20)

    def clean(self, text: str) -> str:
        """Remove the key, whatever looks like one, and the queries of URLs."""
        for one in self._forms:
            text = text.replace(one, "***")
        text = QUERIES.sub(r"\1?***", SECRETS.sub(r"\1***", without_keys(text)))
        return DIGITS.sub("***", text)

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Ask for something, again and again while that may help. Raises ProviderUnavailable when it did not."""
        return self._safely("GET", path, lambda: self.once("GET", path, params=params))

    def delete(self, path: str) -> Answer:
        """Remove something: safe to repeat, 404 tells that it is gone."""
        return self._safely("DELETE", path, lambda: self.once("DELETE", path))

    def put(self, path: str, body: Mapping[str, object]) -> Answer:
        """Replace something: as safe to repeat as `get`."""
        return self._safely("PUT", path, lambda: self.once("PUT", path, body))

    def _safely(self, method: str, path: str, call: Callable[[], Answer]) -> Answer:
        def attempt() -> Answer:
            try:
                answer = call()
            except TooLong as error:
                raise ProviderUnavailable(f"{method} {self.clean(path)}: {error}", hint=ELSEWHERE) from None
            except httpx.RequestError as error:
                raise _TryAgain(self.describe(error), None) from None
            if answer.status in RETRIED and not answer.quota and answer.code != RENDERING_STOPPED:
                raise _TryAgain(f"{answer.status} {answer.text}".strip(), answer.retry_after)
            return answer

        only = retry_if_exception_type(_TryAgain)
        retrying = Retrying(
            retry=only, stop=stop_after_attempt(self._attempts), wait=self._wait, sleep=self.clock.sleep, reraise=True
        )
        try:
            return retrying(attempt)
        except _TryAgain as error:
            raise ProviderUnavailable(f"{method} {self.clean(path)}: {error}", hint="try again later") from None

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        told = error.wait if isinstance(error, _TryAgain) else None
        return self._jitter(state) if told is None else min(told, LONGEST_WAIT)

    def once(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request, once, when its turn has come. Raises httpx.RequestError, to be classified by the caller.

        Raises Throttled, having sent nothing, when the turn is too far away.
        """
        content = None if body is None else encode(body)
        kind = {} if content is None else {"Content-Type": "application/json"}
        is_post = method == "POST"
        client, timeout = (self._fresh, post_timeout(self.post_seconds)) if is_post else (self.client, TIMEOUT)
        most = self.post_seconds * ANSWER_SHARE if is_post else self.answer_seconds
        named = {**kind, **(headers or {})}
        try:
            request = client.build_request(method, path, content=content, params=params, headers=named, timeout=timeout)
        except httpx.InvalidURL as error:  # an id too long for a URL, say
            raise httpx.UnsupportedProtocol(str(error)) from None
        with self._rate.turn(min(LONGEST_TURN, self.post_seconds) if is_post else LONGEST_TURN):
            sent = self.clock.monotonic()
            response, body_read = receive(client, request, most)
            there = until(response.headers.get("date", ""), 0.0)
            if math.isnan(there):
                there = self.clock.now()
            else:
                self._compare_clocks(there, sent)
            answer = self._read(response, body_read, there)
            limit, remaining, reset = limits_told(response.headers, there)
            reset = None if reset is None else self.clock.now() + reset - there
            refused = answer.status == 429 and not answer.quota
            wait = answer.retry_after if refused else None
            self._rate.learn(RateHints(refused, is_post, wait, limit, remaining, reset))
        return answer

    def _compare_clocks(self, at: float, sent: float) -> None:
        """Narrow down how far the other clock is ahead: its `Date` was cut to seconds between sending and now."""
        least, most = at - self.clock.monotonic(), at - sent + 1.0
        if self._apart is None or most - least <= self._apart[1] - self._apart[0]:
            self._apart = (least, most)

    @property
    def ahead(self) -> float | None:
        """Seconds by which the other clock is ahead of ours, at least; 0 when both may agree; None when not told."""
        if self._apart is None:
            return None
        apart = self.clock.now() - self.clock.monotonic()
        least, most = self._apart[0] - apart, self._apart[1] - apart
        return 0.0 if least <= 0 <= most else least

    def _read(self, response: httpx.Response, content: bytes, there: float) -> Answer:
        """Understand an answer that was given at that time of the other clock (seconds since the epoch)."""
        parsed = parse(content)
        text = explain(parsed) or ("" if response.is_success else content[:SHOWN].decode("utf-8", "replace"))
        if response.is_redirect:
            text = f"it is elsewhere: {response.headers.get('location', '')}"
        code = self.clean(code_of(parsed))[:100] or str(response.status_code)
        told = wait_told(response.headers, parsed, there)
        return Answer(response.status_code, parsed, code, self.clean(text)[:2000], told)

    def describe(self, error: Exception) -> str:
        """What a transport error says, without secrets."""
        return self.clean(f"{type(error).__name__}: {error}")

    def close(self) -> None:
        self.client.close()
        self._fresh.close()


def encode(body: Mapping[str, object]) -> bytes:
    """The same body gives the same bytes, so that an idempotency key is always sent with what it was made for."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def unsent(error: Exception) -> bool:
    """Whether a transport error proves that no byte of the request left: DNS, connect, TLS, or no free connection."""
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol))


def refuse(answer: Answer, what: str) -> ProviderError:
    """The error for an answer of no use to a call that creates no work."""
    if answer.ok or 300 <= answer.status < 400:
        return ProviderError(f"{what}: {answer.text or 'the answer is not that of the API'}", hint=ELSEWHERE)
    message = f"{what}: {answer.text or HTTPStatus(answer.status).phrase if answer.status in _KNOWN else answer.text}"
    if answer.status == 401:
        return AuthenticationFailed(message, hint="check the API key")
    if answer.code == RENDERING_STOPPED:
        return ProviderError(message, hint="fix this, then run apply again: what is rendered is kept")
    if answer.quota:
        return QuotaExhausted(message, hint="the plan's limit is reached")
    if answer.status >= 500 or answer.status in RETRIED:
        return ProviderUnavailable(message, hint="try again later")
    return ProviderError(message)


_KNOWN = {int(one) for one in HTTPStatus}
