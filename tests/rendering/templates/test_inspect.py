"""What the inspector tells of a template, and that it needs no engine for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.ports import TemplateInspector
from pictify_sync.errors import Problem, Severity
from pictify_sync.rendering.handlebars.helpers import FUNCTIONS
from pictify_sync.rendering.inspect import Inspector

SHIPPED = Path(__file__).parents[3] / "manifests" / "templates"
INSPECTOR: TemplateInspector = Inspector()

PAGE = """<!doctype html>
<link rel="stylesheet" href="css/base.css">
<style>
  :root { --head: "Playfair Display", serif; }
  body { font-family: Inter, 'Noto Sans', system-ui; }
  h1 { font: 700 20px/1.2 var(--head); background: url(pics/back.png); }
  @font-face { font-family: Own; src: url("own.woff2"); }
  {{#if dark}} .x { font-family: var(--none, Lora), {{face}}, INHERIT } {{/if}}
</style>
<p style="font-family: Georgia; color: {{tint}}">{{shout title}} <img src="a.png"><img src="{{photo}}"></p>
<p style="columns: 2">{{#each items}}{{name}}{{/each}}</p>
"""


ALL = f"the helpers are {', '.join(sorted(FUNCTIONS, key=str.lower))}"


def test_facts() -> None:
    """Variables, fonts, files and problems of a page are found, in order and with places."""
    facts = INSPECTOR.inspect(PAGE)
    assert list(facts.variables) == ["dark", "face", "items", "photo", "tint", "title"]
    assert list(facts.families) == ["Inter", "Noto Sans", "Playfair Display", "Lora", "Georgia"]
    assert list(facts.files) == ["css/base.css", "pics/back.png", "own.woff2", "a.png"]
    assert list(facts.problems) == [
        Problem("", 10, 52, "the helper 'shout' is not allowed", ALL),
        Problem("", 11, 11, "the embedded engine does not know columns", "use engine: chromium", Severity.WARNING),
    ]


@pytest.mark.parametrize("page", sorted(SHIPPED.glob("*.html")), ids=lambda path: path.stem)
def test_shipped_templates(page: Path) -> None:
    """The shipped templates have no errors, name installed fonts and files that are there."""
    facts = INSPECTOR.inspect(page.read_text("utf-8"))
    assert not [problem for problem in facts.problems if problem.severity is Severity.ERROR]
    assert "Inter" in facts.families
    assert all((SHIPPED / name).is_file() for name in facts.files)


@given(st.text(alphabet="<>{}()[]\"'/*!#@:;.,-= \n\\abstyleurlimpofn0", max_size=120))
def test_any_text_can_be_inspected(text: str) -> None:
    """Whatever the text, inspecting and inlining end with facts, and every problem has a place in it."""
    facts = INSPECTOR.inspect(text)
    lines = text.split("\n")
    for problem in facts.problems:
        assert 0 <= problem.line <= len(lines)
        assert problem.column <= len(lines[problem.line - 1]) + 1
    INSPECTOR.inline(text, lambda name: b"p { color: red }")


def test_a_page_with_fonts_inside_is_inspected_soon() -> None:
    """Megabytes of data: URIs in css do not slow an inspection down, nor move the places of problems."""
    uri = "data:font/woff2;base64," + "A" * 3_000_000
    page = (
        f"<style>@font-face {{ src: url({uri}) }} p {{ mask: url('{uri}') }} q {{ columns: 2 }}</style>{{{{nope x}}}}"
    )
    facts = INSPECTOR.inspect(page)
    assert [page[problem.column - 1 :][:7] for problem in facts.problems] == ["columns", "nope x}"]


def test_planning_imports_no_engine() -> None:
    """Inspecting, inlining and naming the engine import no engine, browser, encoder or font reader."""
    code = """
import sys
from pictify_sync.rendering.inspect import Inspector
from pictify_sync.rendering.fonts import engine_identity
from pictify_sync.rendering.handlebars.helpers import FUNCTIONS
one = Inspector()
one.inspect("<style>p{font-family:Inter}</style>{{a}}")
one.inline("<img src=x.png>", lambda name: b"x")
print(engine_identity("takumi", ["Inter"]))
heavy = {"pytakumi", "playwright", "PIL", "fontTools", "httpx", "werkzeug", "deepdiff", "fontpkg_inter"}
sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("takumi 0.")
