"""The models as a JSON Schema and as a reference page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from pictify_sync.manifest.reference import reference
from pictify_sync.manifest.schema import AssetsManifest, TemplateManifest, json_schema

ROOT = Path(__file__).parents[2]


def test_the_reference_page_is_current() -> None:
    """The page in docs is exactly what the models give; `python -m tests.manifest.test_schema` writes it anew."""
    assert (ROOT / "docs/reference/manifest.md").read_text(encoding="utf-8") == reference()


def test_the_schema_is_plain_json_and_names_every_field() -> None:
    """The schema can be written down, and describes each field of a manifest."""
    schema = json.loads(json.dumps(json_schema()))
    assets = schema["$defs"]["AssetsManifest"]
    assert set(assets["properties"]) == set(AssetsManifest.model_fields)
    assert all(field["description"] for field in assets["properties"].values())
    assert assets["additionalProperties"] is False


ASSETS: dict[str, Any] = {"version": 1, "template": "t", "rows": [{"a": 1}], "key": "k"}
TEMPLATE: dict[str, Any] = {"version": 1, "kind": "template", "html": "t.html", "width": 1, "height": 1}
OF_ASSETS: list[dict[str, Any]] = [
    {}, {"kind": "assets"}, {"kind": "template"}, {"version": 2}, {"version": True}, {"version": "1"}, {"x": 1},
    {"name": "a/b"}, {"name": "a"}, {"name": None}, {"name": 1}, {"template": ""}, {"template": None},
    {"layouts": []}, {"layouts": ["a", "a"]}, {"layouts": ["A"]}, {"layouts": ["a"] * 21}, {"layouts": ["a", "b"]},
    {"format": "gif"}, {"format": "webp"}, {"quality": 0.5}, {"quality": 0.5, "format": "png"}, {"quality": None},
    {"quality": 0.5, "format": "jpeg"}, {"quality": 1, "format": "webp"}, {"quality": 85, "format": "jpeg"},
    {"quality": True, "format": "jpeg"}, {"rows": ""}, {"rows": "r.csv"}, {"rows": []}, {"rows": {}},
    {"rows": None}, {"where": None}, {"where": True}, {"key": ""}, {"key": 1}, {"variables": {"1x": 1}},
    {"variables": {"a b": 1}},
    {"variables": {"x": [1, {"y": None}]}}, {"variables": {"v" * 129: 1}}, {"variables": []}, {"output": ""},
    {"provider": ""}, {"provider": "local"}, {"protect": "yes"}, {"protect": True},
]  # fmt: skip
OF_TEMPLATES: list[dict[str, Any]] = [
    {}, {"kind": "assets"}, {"width": 0}, {"width": "1"}, {"width": 10_001}, {"html": ""}, {"rows": []},
    {"layouts": {"a": {"width": 1, "height": 1}}}, {"layouts": {"a": {"width": 1}}}, {"layouts": {"A": {}}},
    {"layouts": {"default": {"width": 1, "height": 1}}}, {"layouts": {"A b": {"width": 1, "height": 1}}},
    {"layouts": {f"l{n}": {"width": 1, "height": 1} for n in range(20)}}, {"variables": {"a": {"type": "txt"}}},
    {"variables": {"a": "text"}}, {"variables": {"a": {}}}, {"variables": {"1a": {}}},
    {"variables": {"a": {"x": 1}}},
    {"variables": {"a": {"max_length": 0}}}, {"variables": {"a": {"default": [1]}}},
]  # fmt: skip
TRIED = [
    *({**ASSETS, **more} for more in OF_ASSETS),
    *({**TEMPLATE, **more} for more in OF_TEMPLATES),
    {},
    {name: value for name, value in ASSETS.items() if name != "key"},
]


@pytest.mark.parametrize("document", TRIED, ids=repr)
def test_the_schema_takes_what_the_models_take(document: dict[str, Any]) -> None:
    """An editor finds what `validate` finds in the fields, and nothing else."""
    model = TemplateManifest if document.get("kind") == "template" else AssetsManifest
    try:
        model.model_validate(document)
        taken = True
    except ValidationError:
        taken = False
    assert Draft202012Validator(json_schema()).is_valid(document) is taken


if __name__ == "__main__":
    (ROOT / "docs/reference/manifest.md").write_text(reference(), encoding="utf-8")
