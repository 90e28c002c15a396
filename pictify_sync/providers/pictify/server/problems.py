"""Error bodies in the documented shapes: flat ones of today, by family of routes, and RFC 9457 of the older docs."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from pictify_sync.providers.pictify.server.wire import Answer, WireError
from pictify_sync.rendering.failure import Cause

PICTURES = frozenset({"createImage", "createGif"})  # they answer {error, code, retriable} (Pictify, Errors)
# The vendor's code of each cause (Pictify, Errors: batches; html-template compiler).
CODES: Mapping[Cause, str] = {
    Cause.SYNTAX: "HANDLEBARS_COMPILE_ERROR",
    Cause.HELPER: "HELPER_NOT_ALLOWED",
    Cause.RAW_HTML: "RAW_HTML_NOT_ALLOWED",
    Cause.VARIABLE: "INVALID_VARIABLE",
    Cause.UNDEFINED: "UNDEFINED_VARIABLE",
    Cause.EXPRESSION: "EXPRESSION_ERROR",
    Cause.LOOP: "ITERATION_LIMIT_EXCEEDED",
    Cause.IMAGE: "IMAGE_FETCH_FAILED",
    Cause.TIMEOUT: "RENDER_TIMEOUT",
    Cause.ENGINE: "RENDER_FAILED",
}
RETRIABLE = frozenset({429, 500, 502, 503, 504})


def error_answer(error: WireError, operation: str, shape: str, path: str) -> tuple[Answer, str]:
    """Return the answer and its content type. `shape`: plain or problem."""
    if shape == "problem":
        return Answer(_problem(error, path), error.status, error.headers), "application/problem+json"
    body: Mapping[str, object] = error.body
    if operation in PICTURES and error.status != 401:
        said = {name: value for name, value in error.body.items() if name != "message"}
        body = {"code": f"http_{error.status}", **said, "error": error.body["message"]}
        body["retriable"] = error.status in RETRIABLE and body["code"] != "quota_exceeded"
    return Answer(body, error.status, error.headers), "application/json"


def _problem(error: WireError, path: str) -> dict[str, object]:
    try:
        title = HTTPStatus(error.status).phrase
    except ValueError:
        title = "Error"
    body: dict[str, object] = {"type": f"https://docs.pictify.io/errors/{error.status}", "title": title}
    body |= {"status": error.status, "detail": error.body["message"], "instance": path}
    if code := error.body.get("code"):
        body["code"] = code
    listed = error.body.get("errors")
    if isinstance(listed, list):
        parts = [str(one).partition(": ") for one in listed]
        body["errors"] = [{"field": field, "message": text, "code": "invalid"} for field, _, text in parts]
    if "Retry-After" in error.headers and error.headers["Retry-After"].isdigit():
        body["retryAfter"] = int(error.headers["Retry-After"])
    return body
