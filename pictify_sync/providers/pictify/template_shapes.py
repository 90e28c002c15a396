"""Templates on the wire -> values, and what to send for a declared one. Pure, and tolerant of every documented shape.

Revisions are digests over what shapes a layout's pictures (Pictify, Templates: engine, html or fabricJSData, variable
definitions, that layout's size, output format, strictness): not over names, texts for people, or times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pictify_sync.core.abilities import RemoteTemplate
from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import DEFAULT_LAYOUT
from pictify_sync.core.template import LayoutSize, TemplateRecord, TemplateSource, VariableRule
from pictify_sync.errors import ProviderError

Json = Mapping[str, Any]


def unwrapped(body: object) -> Json:
    """The template of an answer: under `template` (newer docs), `data`, or bare (older docs)."""
    found = body if isinstance(body, dict) else {}
    for name in ("template", "data"):
        inner = found.get(name)
        if isinstance(inner, dict):
            return unwrapped(inner) if name == "data" else inner
    return found


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


def read_template(provider: str, uid: str, body: Json) -> TemplateRecord:
    """What a provider holds, with a revision per layout. `body` is unwrapped. Raises ProviderError: no JSON."""
    layouts = {DEFAULT_LAYOUT: replace(_size(body), name=""), **_layouts(body.get("layouts"))}
    try:
        shared, rules = canonical(_shape(body)), read_rules(body)
        digest(shared)
    except (ValueError, RecursionError):  # NaN, half a character, nested without end
        raise ProviderError(f"reading the template {uid}: the answer cannot be read") from None
    revisions = {name: digest(canonical([shared, one.width, one.height])) for name, one in layouts.items()}
    name, html = str(body.get("name") or uid), body.get("html")
    source = html if isinstance(html, str) else ""
    return TemplateRecord(name, provider, uid, "", revisions, source, variables=rules, layouts=layouts)


def _shape(body: Json) -> list[object]:
    """What shapes every layout. Absent, null and the documented default are the same."""
    html, fabric = body.get("html"), body.get("fabricJSData")
    if isinstance(fabric, str):
        with suppress(ValueError, RecursionError):
            fabric = json.loads(fabric)
    engine = body.get("engine") or ("fabric" if fabric and not html else "html")
    drawn = fabric if engine == "fabric" else html
    switches = [body.get(name) in (True, "true") for name in ("strictVariables", "jsEnabled")]
    definitions = sorted(map(canonical, map(_definition, _definitions(body))))
    return [
        engine,
        drawn or "",
        body.get("outputFormat") or "image",
        body.get("pdfPreset") or "",
        switches,
        definitions,
    ]


def _definitions(body: Json) -> list[Json]:
    """`variableDefinitions`; templates of before have `variables`, a list of names."""
    listed = body.get("variableDefinitions")
    if not isinstance(listed, list):
        listed = body.get("variables") if isinstance(body.get("variables"), list) else []
    named = [{"name": one} if isinstance(one, str) else one for one in listed or []]
    return [one for one in named if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"]]


def _definition(one: Json) -> list[object]:
    rule = _rule(one)
    checks = one.get("validation") if isinstance(one.get("validation"), dict) else {}
    least = _whole((checks or {}).get("minLength"))
    raw = one.get("allowRawHtml") is True
    return [rule.name, rule.type, rule.default, rule.required, rule.max_length, least or None, raw]


def read_rules(body: Json) -> tuple[VariableRule, ...]:
    """The declared variables of a template, or of the answer that lists them."""
    return tuple(map(_rule, _definitions(body)))


def _rule(one: Json) -> VariableRule:
    checks = one.get("validation") if isinstance(one.get("validation"), dict) else {}
    default, kind = one.get("defaultValue"), one.get("type")
    return VariableRule(
        one["name"],
        kind if isinstance(kind, str) and kind and kind != "string" else "text",
        required=(checks or {}).get("required") is True,
        max_length=_whole((checks or {}).get("maxLength")),
        default="" if default in (None, "") else canonical(default),
    )


def _layouts(listed: object) -> dict[str, LayoutSize]:
    """Layouts besides the base: a map by key, or a list whose entries name their key."""
    if isinstance(listed, list):
        entries = [one for one in listed if isinstance(one, dict)]
        listed = {one.get("key") or one.get("layout") or one.get("id"): one for one in entries}
    if not isinstance(listed, dict):
        return {}
    return {name: _size(one) for name, one in listed.items() if isinstance(name, str) and name}


def _size(body: object) -> LayoutSize:
    found = body if isinstance(body, dict) else {}
    name = found.get("name")
    return LayoutSize(
        _whole(found.get("width")) or 0, _whole(found.get("height")) or 0, name if isinstance(name, str) else ""
    )


def _whole(value: object) -> int | None:
    """A whole number from 0 below 100,000, also as text or as a float."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 100_000
    return int(value) if good and isinstance(value, (int, float)) else None


def read_row(body: Json) -> RemoteTemplate | None:
    """A row of the list; None without a uid."""
    uid = body.get("uid") or body.get("id")
    if not isinstance(uid, str) or not uid:
        return None
    size = _size(body)
    texts = (body.get(name) for name in ("name", "engine", "updatedAt"))
    name, engine, updated = (one if isinstance(one, str) else "" for one in texts)
    return RemoteTemplate(uid, name, engine, size.width, size.height, updated)
