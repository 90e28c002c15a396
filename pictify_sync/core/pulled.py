"""A provider's template -> the two files that declare it here: html and the manifest beside it.

Texts are written as JSON strings, which YAML reads as they are. This module must not know files.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pictify_sync.core.model import DEFAULT_LAYOUT
from pictify_sync.core.template import LayoutSize, TemplateRecord, VariableRule
from pictify_sync.errors import UsageError

TYPES = {"text", "image", "color", "number", "boolean", "url", "date", "array", "object"}
UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # YAML takes them as escapes only


@dataclass(frozen=True, slots=True)
class Pulled:
    """What to write: `<name>.yaml` and `<name>.html`."""

    name: str
    html: str
    yaml: str


def pulled(record: TemplateRecord, name: str = "") -> Pulled:
    """Declare what was observed at a provider. `name`: what to call it; "": made of its display name.

    Raises UsageError for a template without html, and for one whose size is not known.
    """
    if not record.source:
        raise UsageError(
            f"the template {record.uid} has no html that could be written to a file",
            hint="use it in manifests by its uid, as it is",
        )
    base = record.layouts.get(DEFAULT_LAYOUT)
    if base is None or not base.width or not base.height:
        raise UsageError(f"the size of the template {record.uid} is not known: the provider does not state it")
    called = name or slug(record.name, record.uid)
    return Pulled(called, record.source, "\n".join(_lines(called, base, record)) + "\n")


def slug(name: str, fallback: str) -> str:
    """A name that manifests may use, from a display name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
    return made or re.sub(r"[^A-Za-z0-9]+", "-", fallback).strip("-") or "template"


def _lines(name: str, base: LayoutSize, record: TemplateRecord) -> Iterator[str]:
    yield "version: 1"
    yield "kind: template"
    yield f"name: {_text(name)}"
    yield f"html: {_text(name + '.html')}"
    yield f"width: {base.width}"
    yield f"height: {base.height}"
    layouts = {key: size for key, size in sorted(record.layouts.items()) if key != DEFAULT_LAYOUT}
    if layouts:
        yield "layouts:"
    for key, size in layouts.items():
        shown = f", name: {_text(size.name)}" if size.name else ""
        yield f"  {_text(key)}: {{width: {size.width}, height: {size.height}{shown}}}"
    if record.variables:
        yield "variables:"
    for rule in sorted(record.variables, key=lambda one: one.name):
        fields = ", ".join(f"{field}: {value}" for field, value in _rule(rule).items())
        yield f"  {_text(rule.name)}: {{{fields}}}"


def _rule(rule: VariableRule) -> Mapping[str, str]:
    fields = {"type": rule.type if rule.type in TYPES else "text"}
    if rule.required:
        fields["required"] = "true"
    if rule.max_length:
        fields["max_length"] = str(rule.max_length)
    if rule.default:
        fields["default"] = _text(json.loads(rule.default))
    return fields


def _text(value: object) -> str:
    """JSON, which is YAML: with a blank after each colon, and with escapes for what YAML does not print."""
    shown = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
