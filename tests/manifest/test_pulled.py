"""A pulled template is a declared one: what is written reads back as what was observed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.fingerprint import canonical
from pictify_sync.core.pulled import pulled, slug
from pictify_sync.core.template import LayoutSize, TemplateRecord, VariableRule
from pictify_sync.errors import UsageError
from pictify_sync.manifest.schema import TemplateManifest
from pictify_sync.validation import validate
from pictify_sync.yaml_reader import read_document
from tests.manifest.project import ASSETS, Project

HTML = "<b>{{title}}</b>{{no}}{{1e3}}"
SIZES = {"default": LayoutSize(1200, 630), "story": LayoutSize(1080, 1920, 'The "Story": {no}')}
names = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$-]{0,8}", fullmatch=True)
defaults = st.one_of(
    st.just(""), st.text(st.characters(exclude_categories=["Cs"])).filter(bool).map(canonical), st.integers().map(str)
)
rules = st.builds(
    VariableRule,
    names,
    st.sampled_from(["text", "image", "number", "object"]),
    st.booleans(),
    st.none() | st.integers(1, 99),
    defaults,
)


def record(**changes: Any) -> TemplateRecord:
    """An observed template."""
    fields: dict[str, Any] = {"source": HTML, "layouts": SIZES, "revisions": {}, "digest": ""}
    return TemplateRecord(**{"name": "Post card", "provider": "pictify", "uid": "XA12", **fields, **changes})


@given(st.lists(rules, unique_by=lambda one: one.name, max_size=5), st.text(max_size=20))
def test_what_is_written_reads_back(found: list[VariableRule], display: str) -> None:
    """Sizes, layouts and rules come back as they were, whatever their texts hold."""
    layouts = {**SIZES, "story": LayoutSize(1080, 1920, display.encode("utf-8", "replace").decode())}
    made = pulled(record(variables=tuple(found), layouts=layouts, name=display))
    read = validate(TemplateManifest, read_document(made.yaml, "t.yaml"))
    assert isinstance(read, TemplateManifest), (read, made.yaml)
    assert (read.name, read.html, read.width, read.height) == (made.name, f"{made.name}.html", 1200, 630)
    assert {key: (one.width, one.height, one.name) for key, one in read.layouts.items()} == {
        "story": (1080, 1920, layouts["story"].name)
    }
    assert {
        name: (one.type, one.required, one.max_length, "" if one.default in (None, "") else canonical(one.default))
        for name, one in read.variables.items()
    } == {rule.name: (rule.type, rule.required, rule.max_length, rule.default) for rule in found}


def test_a_project_can_start_from_it(tmp_path: Path) -> None:
    """The two files in a project are a template that assets use."""
    project = Project(tmp_path)
    variables = tuple(VariableRule(name) for name in ("title", "photo", "email"))
    layouts = {"default": LayoutSize(1200, 630), "square": LayoutSize(1080, 1080)}
    made = pulled(record(source="<b>{{title}}</b>{{photo}}{{email}}", variables=variables, layouts=layouts))
    project.write(f"manifests/{made.name}.html", made.html)
    project.write(f"manifests/{made.name}.yaml", made.yaml)
    project.write("manifests/a.yaml", ASSETS.replace("template: card", "template: post-card"))
    (source,) = project.read().templates
    assert (source.name, source.html, dict(source.layouts)) == ("post-card", made.html, layouts)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Post card", "post-card"), ("  Ünï/çode!! ", "uni-code"), ("日本", "XA12"), ("", "XA12"), ("a" * 99, "a" * 64)],
)
def test_names(name: str, expected: str) -> None:
    """A display name becomes one that manifests may use; the uid stands in where nothing is left."""
    assert slug(name, "XA12") == expected


def test_what_cannot_be_declared_is_told() -> None:
    """A template without html or size is refused; a name of one's own is taken."""
    with pytest.raises(UsageError, match="no html"):
        pulled(record(source=""))
    with pytest.raises(UsageError, match="size"):
        pulled(record(layouts={"default": LayoutSize(0, 0)}))
    assert pulled(record(), "mine").yaml.splitlines()[2] == 'name: "mine"'
