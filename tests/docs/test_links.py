"""Links and YAML of the pages."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from pydantic import BaseModel

from pictify_sync.manifest.schema import AssetsManifest, TemplateManifest
from pictify_sync.providers.registry import parts
from pictify_sync.rendering.handlebars.helpers import FUNCTIONS
from pictify_sync.settings import fields_model
from pictify_sync.validation import validate
from pictify_sync.yaml_reader import read_document
from tests.docs.pages import NAMES, ROOT, Block, anchors, blocks, links


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    """Files exist, and so do the headings that fragments name. Links to other sites are not followed."""
    for link in links(name):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, fragment = unquote(link).partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), f"{name} links to {link}"
        if fragment:
            assert fragment in anchors(str(target.resolve().relative_to(ROOT))), f"{name} links to {link}"


def test_every_helper_is_told() -> None:
    """Who writes a template can read which helpers there are."""
    page = (ROOT / "docs/how-to/write-a-manifest.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"`{name}`" not in page] == []


def test_every_page_can_be_reached() -> None:
    """From README.md, by links alone."""
    seen, waiting = set[str](), ["README.md"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for link in links(name):
            target = ((ROOT / name).parent / link.partition("#")[0]).resolve()
            if target.is_dir():
                target /= "README.md"
            found = str(target.relative_to(ROOT)) if target.is_relative_to(ROOT) else ""
            if found in NAMES and found not in seen:
                waiting.append(found)
    assert set(NAMES) - seen == set()


YAML = [(name, block) for name in NAMES for block in blocks(name) if block.language == "yaml"]


@pytest.mark.parametrize(("name", "block"), YAML, ids=[f"{name}:{block.line}" for name, block in YAML])
def test_yaml_is_right(name: str, block: Block) -> None:
    """A whole manifest, template or settings file is valid; a part of one has fields that exist."""
    document = read_document(block.text, name)
    assert isinstance(document.value, dict)
    models: tuple[type[BaseModel], ...] = (AssetsManifest, TemplateManifest, fields_model(parts(())))
    if "version" not in document.value:
        assert any(document.value.keys() <= model.model_fields.keys() for model in models)
        return
    template = document.value.get("kind") == "template"
    settings = fields_model(parts(()))
    model = TemplateManifest if template else AssetsManifest if "template" in document.value else settings
    found = validate(model, document)
    assert not isinstance(found, list), "\n".join(map(str, found))
