"""The reference page of the settings is what the models say."""

from __future__ import annotations

import re
from inspect import getsource

from pictify_sync import settings
from pictify_sync.settings import Fields
from tests.settings.page import PAGE, SECTIONS, page


def test_the_page_is_current() -> None:
    """`python -m tests.settings.page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_field_says_what_it_means() -> None:
    """One sentence that ends, for every field of every model."""
    for _, _, model in SECTIONS:
        for name, field in model.model_fields.items():
            assert (field.description or "").endswith("."), (model.__name__, name)


def test_every_variable_that_is_read_is_on_the_page() -> None:
    """Those of the settings module, by name."""
    source = getsource(settings)
    for name in set(re.findall(r"\bPICTIFY_(?!SYNC)[A-Z_]+\b", source)):
        assert f"`{name}`" in page()


def test_every_nested_model_has_a_section() -> None:
    """What is a mapping below is there below."""
    nested = set(Fields.model_json_schema()["$defs"])
    assert nested == {model.__name__ for _, _, model in SECTIONS[1:]}
