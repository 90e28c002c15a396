"""What goes over the wire, apart from any route: answers, errors, canonical JSON and the checks that every body passes.

Error bodies are `{message, code?, ...}` (Pictify, Errors: templates, batches and CRUD answer a flat message).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.json_schema import SkipJsonSchema

Body = TypeVar("Body", bound=BaseModel)

LAYOUT_PATTERN = r"^[a-z0-9-]{1,64}$"  # Pictify, Batch render: layout
BASE_LAYOUT = "default"
LARGEST = 10**12  # of a page or an offset


def _whole(value: object) -> object:
    """Take 1.0 for 1, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _given(value: object) -> object:
    """Refuse null where a field may be left out."""
    if value is None:
        raise ValueError("null is not allowed, leave the field out")
    return value


AsWhole = BeforeValidator(_whole)  # behind the limits of a number, so that they stand in its schema
Whole = Annotated[int, AsWhole]
Value = TypeVar("Value")
Omittable = Annotated[Value | SkipJsonSchema[None], BeforeValidator(_given)]  # may be left out, and is never null


class WireModel(BaseModel):
    """A body: unknown fields are ignored, and "1" is no number."""

    model_config = ConfigDict(extra="ignore", strict=True)


class WireError(Exception):
    """A request that is answered with an error: HTTP status, text, and the vendor's code if there is one."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        *,
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, object] = {"message": message, **({"code": code} if code else {}), **(extra or {})}


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer of a route."""

    body: Mapping[str, object]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted names, no blanks."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """Return 32 hex characters that stand for a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def instant(at: float | None) -> str | None:
    """Write seconds since the epoch as the wire does: 2026-11-22T09:00:00.000Z."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole(args: Mapping[str, Any], name: str, fallback: int, low: int, high: int = LARGEST) -> int:
    """Read a whole number of the query. 400 when it is none or out of range; beyond LARGEST is LARGEST."""
    text = args.get(name)
    if text is None:
        return fallback
    number = int(text) if re.fullmatch(r"-?[0-9]{1,4000}", text) else low - 1
    if number < low or (high < LARGEST and number > high):
        upto = f" to {high}" if high < LARGEST else " or more"
        raise WireError(400, f"{name} is a whole number, {low}{upto}")
    return min(number, LARGEST)


def one_of(args: Mapping[str, Any], name: str, *words: str) -> str:
    """Read a word of the query, the first one when it is left out. 400 when it is none of them."""
    text = str(args.get(name, words[0]))
    if text not in words:
        raise WireError(400, f"{name} is one of {', '.join(words)}")
    return text


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def parse_object(body: bytes) -> dict[str, object]:
    """Read a JSON object; an empty body counts as one (the vendor's MCP server cancels with it). Else 400."""
    try:
        value = json.loads(body, parse_constant=_not_json) if body else {}
        canonical(value).encode()  # lone surrogates and too deep nesting end here, not in the database
    except (ValueError, RecursionError) as error:
        raise WireError(400, "The body is not valid JSON") from error
    if not isinstance(value, dict):
        raise WireError(400, "The body must be a JSON object")
    return value


def checked(model: type[Body], value: Mapping[str, object], status: int = 400) -> Body:
    """Read a body as its model; WireError lists every field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise WireError(status, found[0], extra={"errors": found[:20]}) from error
