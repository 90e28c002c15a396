"""Very many assets, and long lists."""

from __future__ import annotations

import json

from tests.manifest.project import Project


def test_too_many_assets_are_refused(project: Project) -> None:
    """The settings' max_assets bounds what manifests may ask for."""
    assert len(project.read(max_assets=4)) == 4
    assert "more than 3 assets" in project.fails(max_assets=3)


def test_long_lists_of_plain_texts_are_no_expressions(project: Project) -> None:
    """Only texts with braces count towards the limit of expressions in one manifest."""
    start = "version: 1\ntemplate: u\nkey: x\nrows: [{n: 1}]\nvariables:\n  v: "
    project.write("manifests/a.yaml", start + json.dumps(["plain"] * 5000))
    assert len(json.loads(next(iter(project.read(provider="pictify"))).variables)["v"]) == 5000
    project.write("manifests/a.yaml", start + json.dumps(["{{ n }}"] * 5000))
    assert "manifests/a.yaml:6:" in project.fails()
