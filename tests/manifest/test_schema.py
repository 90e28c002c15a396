"""The models as a JSON Schema and as a reference page."""

from __future__ import annotations

import json
from pathlib import Path

from pictify_sync.manifest.reference import reference
from pictify_sync.manifest.schema import AssetsManifest, json_schema

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


if __name__ == "__main__":
    (ROOT / "docs/reference/manifest.md").write_text(reference(), encoding="utf-8")
