"""The JSON Schema of a saved plan, made from what its reader checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pictify_sync.core.model import Change
from pictify_sync.core.plan import PLAN_FORMAT
from pictify_sync.state.codec import adapter
from pictify_sync.state.planfile.document import FORMAT, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole(Head):
    """The whole document."""

    changes: tuple[Change, ...]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a plan."""
    schema = adapter(_Whole).json_schema()
    schema["properties"]["format"] = {"const": FORMAT, "type": "string"}
    schema["properties"]["format_version"] = {"const": PLAN_FORMAT, "type": "integer"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pictify-sync plan"}
