"""Entries, templates and plans as JSON text, validated on the way in.

What is read may come from a newer version or a stranger: an unknown kind or a wrong type is refused, never guessed.
What an older version wrote is read in the form of today; its text is never rewritten.
Records have real columns in the state and do not pass through here when they are streamed.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from pictify_sync.core.entries import Entry
from pictify_sync.core.fingerprint import canonical
from pictify_sync.errors import StateError


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """The validating reader and writer of one type of core."""
    return TypeAdapter(kind)


_ENTRY = Annotated[Entry, Field(discriminator="kind")]


def encode_entry(entry: Entry) -> str:
    """Return the JSON text of a log entry. Raises StateError when a text in it cannot be stored."""
    return encode(_ENTRY, entry)


def decode_entry(body: str | bytes) -> Entry:
    """Read a log entry. Raises StateError for an unknown kind and for anything that is not as it was written."""
    entry: Entry = decode(_ENTRY, body)
    return entry


def encode(kind: Any, value: object) -> str:
    """Return the JSON text of a value of core. Raises StateError when a text in it cannot be stored."""
    try:
        return adapter(kind).dump_json(value).decode()
    except ValueError as error:
        raise StateError(f"cannot be written as JSON: {error}") from error


def decode(kind: Any, body: str | bytes) -> Any:
    """Read a value of core from JSON. Raises StateError that says where it is wrong."""
    try:
        return adapter(kind).validate_json(current(body), strict=True)
    except ValidationError as error:
        raise StateError(f"not readable: {first_fault(error)}", hint="it may come from a newer pictify-sync") from error


_OLD_GROUP = {"provider", "template", "format", "quality", "engine"}
_NEW_NAMES = {"layout": "variant", "quality": "options"}
_OLD_SPEC = _OLD_GROUP | {"template_revision", "layout"}


def current(body: str | bytes) -> str | bytes:
    """Return a JSON text with specs and groups in the form of today; the same text unless it may hold an older one."""
    is_old = (
        '"quality":' in body if isinstance(body, str) else b'"quality":' in body
    )  # a name that no value of today has
    if not is_old:
        return body
    try:
        return json.dumps(json.loads(body, object_hook=_current_value))
    except (ValueError, OverflowError, RecursionError):
        return body  # the validation says what is wrong


def _current_value(value: dict[str, Any]) -> dict[str, Any]:
    if value.keys() != _OLD_SPEC and value.keys() != _OLD_GROUP:
        return value
    found = {_NEW_NAMES.get(name, name): part for name, part in value.items()}
    return found | {"options": options_of_quality(found["options"])}


def options_of_quality(quality: object) -> str:
    """Return the options that stand for what was a field of its own. Raise ValueError for what is no quality."""
    if quality is None:
        return "{}"
    if isinstance(quality, bool) or not isinstance(quality, int | float):
        raise ValueError("the quality is not a number")
    return canonical({"quality": float(quality)})


def first_fault(error: ValidationError) -> str:
    """One line on the first thing that is wrong: where and what, without the input itself."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, fault["loc"]))
    return f"{where}: {fault['msg']}" if where else fault["msg"]
