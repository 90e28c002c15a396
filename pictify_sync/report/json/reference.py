"""The JSON Schemas of the `--json` documents, and their reference page, written from the classes themselves.

This module must not know files; a test proves that the page in `docs/` is what it gives.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from pictify_sync.report.json.documents import DOCUMENTS
from pictify_sync.report.json.report import VERSION

_INTRODUCTION = f"""\
# JSON documents

This page is generated from the classes that the documents are made of. With `--json` a command prints one document to
stdout, and talk stays on stderr. `pictify-sync schema KIND` prints the JSON Schema of each kind.

Every document begins with `format` (`pictify-sync/KIND`) and `format_version` ({VERSION}). Within a version fields are
only added, so ignore what you do not know; refuse a version that you do not know. Texts are as they were given (what
cannot be seen of them is printed as `\\uNNNN`): escape them before you show them on a terminal or a page.
"""

_PLAN = """\
## plan

`plan --json` prints, and `plan --out FILE` saves, the plan itself: one change per line, so that it can be read as a
stream. `apply FILE` and `apply --approve FILE` take it. Changes that ask for nothing are counted and left out.

| field | meaning |
|---|---|
| `digest` | Names the work: equal for equal work. `apply --approve` takes it. |
| `lineage`, `serial` | The state that was planned against; empty and 0 when there is none yet. |
| `partial` | Whether something was left out by `--select`, `--exclude` or the paths given. |
| `capabilities` | What each provider allows, as the batches were made for. |
| `summary` | `actions`, `reasons` and `manifests` (counts by action), `recorded`, `renders`, `batches`, `copies`. |
| `refusals` | Why an apply would refuse the plan: `rule` (a setting), `message`, `hint`, `found` and `limit`. |
| `relocation` | Null, or the folder that all pictures leave: `old`, `new`, and how many `pictures`. |
| `likely_renames` | Up to 20 pairs of keys that are probably one picture: `old` and `new`. |
| `more_renames` | How many such pairs are left out. |
| `templates` | Templates to push: `action`, `source` (desired) and `record` (as pushed before). |
| `batches` | `group` (provider, template, format, options, engine), `layouts`, `items` and their keys. |
| `changes` | Sorted by key: `key`, `action`, `reason`, `asset`, `record`, and `source` (moved or copied instead). |

`variables` of an asset is a text of canonical JSON; sensitive values stand in it as `{"$sensitive": digest}`.

## log

`log` prints one JSON object per line: `serial`, `at` (ISO 8601, UTC) and `entry`, which has a `kind` and what that kind
of entry records.
"""


def reference() -> str:
    """Return the page as Markdown."""
    parts = [_INTRODUCTION, _PLAN]
    told: set[type] = set()
    for kind, document in DOCUMENTS.items():
        parts += _section(f"## {kind}", document, told)
    return "\n".join(parts)


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one kind of document."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only the command `schema` needs it

    made = TypeAdapter(DOCUMENTS[kind]).json_schema()
    _describe(made, DOCUMENTS[kind])
    for part in _parts(DOCUMENTS[kind]):
        _describe(made["$defs"][part.__name__], part)
    head = {
        "format": {"const": f"pictify-sync/{kind}", "type": "string"},
        "format_version": {"const": VERSION, "type": "integer"},
    }
    made["properties"] = head | made["properties"]
    made["required"] = [*head, *made["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": f"pictify-sync {kind}"}


def _describe(schema_of: dict[str, Any], document: type) -> None:
    for name, (_, meaning) in _fields(document).items():
        schema_of["properties"][name]["description"] = meaning


def _fields(document: Any) -> dict[str, tuple[Any, str]]:
    """Return name -> (type, meaning)."""
    hints = get_type_hints(document, include_extras=True)
    return {field.name: get_args(hints[field.name])[:2] for field in fields(document)}


def _parts(document: type) -> list[type]:
    """Return the classes nested in a document, in the order they are met."""
    found: list[type] = []
    for kind, _ in _fields(document).values():
        for one in (kind, *get_args(kind)):
            if is_dataclass(one) and isinstance(one, type):
                found += [one, *_parts(one)]
    return list(dict.fromkeys(found))


def _section(title: str, document: type, told: set[type]) -> list[str]:
    lines = [title, "", str(document.__doc__), "", "| field | type | meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {_words(kind)} | {meaning} |" for name, (kind, meaning) in _fields(document).items()]
    sections = ["\n".join([*lines, ""])]
    for part in _parts(document):
        if part not in told:
            told.add(part)
            sections += _section(f"### {part.__name__}", part, told)
    return sections


def _words(kind: Any) -> str:
    """Name a type as people do."""
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any value"}
    if kind in names:
        return names[kind]
    inner = get_args(kind)
    if isinstance(kind, UnionType):
        return " or ".join("null" if one is NoneType else _words(one) for one in inner)
    if get_origin(kind) is list:
        return f"list of {_words(inner[0])}"
    if inner:
        return f"mapping of {_words(inner[1])}"
    return f"[{kind.__name__}](#{kind.__name__.lower()})"
