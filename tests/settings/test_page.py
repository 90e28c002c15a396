"""The reference page of the settings is what the models say."""

from __future__ import annotations

import re
from inspect import getsource

from pictify_sync.settings import loading
from tests.settings.page import KNOWN, PAGE, SECTIONS, page


def test_the_page_is_current() -> None:
    """`python -m tests.settings.page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_field_says_what_it_means() -> None:
    """One sentence that ends, for every field of every model."""
    for _, _, model in SECTIONS:
        for name, field in model.model_fields.items():
            assert (field.description or "").endswith("."), (model.__name__, name)


def test_every_variable_that_is_read_is_on_the_page() -> None:
    """Those of the settings module and of the providers, by name."""
    read = {*re.findall(r"\bPICTIFY_(?!SYNC)[A-Z_]+\b", getsource(loading))}
    for name in read.union(*({one.key_variable, one.url_variable} for one in KNOWN.values())) - {""}:
        assert f"`{name}`" in page()


def test_every_nested_model_has_a_section() -> None:
    """What is a mapping below is there below."""
    nested = set(SECTIONS[0][2].model_json_schema()["$defs"])
    assert (nested | {"Limits"}) - {"Providers"} == {model.__name__ for _, _, model in SECTIONS[1:]}
