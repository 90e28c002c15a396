"""The warnings about the embedded engine, held against what it draws, and against what a browser draws."""

from __future__ import annotations

import time

import pytest
from PIL import ImageChops

from pictify_sync.errors import Severity
from pictify_sync.rendering.inspect import Inspector
from pictify_sync.rendering.lint import FUNCTIONS, PROPERTIES
from tests.rendering.pages.studio import Studio, picture, uri

PICTURE = uri(picture(colour="#f80", size=(40, 30)))
BASE = """*{box-sizing:border-box;font-optical-sizing:none}body{margin:0;font-family:Inter;font-size:16px}
.b{width:80px;height:40px;background:#36c;margin:10px;color:#fff}.t{width:90px;margin:0}"""
BODY = f"""<p><img src="{PICTURE}"></p><div class=b>box</div><p class=t>The quick brown fox <b>jumps over</b> it</p>
<div class=r><div class=b>1</div><div class=b>2</div></div>"""

# What is lacking -> css that a browser heeds. The embedded engine draws the page as if it were not there.
LACKING = {
    "columns": ".t{columns:2}",
    "column-count": ".t{column-count:2}",
    "column-width": ".t{column-width:30px}",
    "zoom": ".b{zoom:1.5}",
    "writing-mode": ".t{writing-mode:vertical-rl}",
    "text-align-last": ".t{text-align-last:right}",
    "text-emphasis": ".t{text-emphasis:dot red}",
    "font-size-adjust": ".t{font-size-adjust:.9}",
    "initial-letter": ".t::first-letter{initial-letter:2}",
    "all": ".b{all:unset}",
    "border-image": ".b{border:5px solid transparent;border-image:linear-gradient(red,lime) 1}",
    "inline-size": ".b{inline-size:20px}",
    "block-size": ".b{block-size:20px}",
    "max-inline-size": ".b{max-inline-size:20px}",
    "border-inline-start": ".b{border-inline-start:10px solid red}",
    "border-block": ".b{border-block:10px solid red}",
    "border-start-start-radius": ".b{border-start-start-radius:20px}",
    "grid-template": ".r{display:grid;grid-template:50px / 200px 1fr}",
    "grid": ".r{display:grid;grid:50px / 200px 1fr}",
    "-webkit-mask-box-image": ".b{-webkit-mask-box-image:linear-gradient(#000,transparent)}",
    "word-wrap": ".t{width:30px;word-wrap:break-word}.t{width:30px}",
    "position: sticky": ".b{position:sticky;top:100px}",
    "background: linear-gradient(red,blue) fixed": ".b{background:linear-gradient(red,blue) fixed}",
    "box-shadow: inset 0 0 20px #000": ".b{box-shadow:inset 0 0 20px #000}",
    "font-variant: small-caps": ".t{font-variant:small-caps}",
    "font-variant-caps: all-small-caps": ".t{font-variant-caps:all-small-caps}",
    "text-decoration-style: wavy": ".t{text-decoration:underline;text-decoration-style:wavy}",
    "vertical-align: super": "b{vertical-align:super}",
    "width: -webkit-fill-available": ".b{width:-webkit-fill-available}",
    "margin: revert": ".b{margin:revert}",
    "content: open-quote": ".b::before{content:open-quote}",
    "min()": ".b{width:min(20px,50%)}",
    "max()": ".b{width:max(110px,50%)}",
    "clamp()": ".b{width:clamp(1px,5vw,20px)}",
    "round()": ".b{width:round(73px,50px)}",
    "abs()": ".b{width:abs(-20px)}",
    "rotateZ()": ".b{transform:rotateZ(20deg)}",
    "translate3d()": ".b{transform:translate3d(10px,10px,0)}",
    "scale3d()": ".b{transform:scale3d(1.5,1.5,1)}",
    "rotateX()": ".b{transform:rotateX(60deg)}",
    "light-dark()": ".b{background:light-dark(red,lime)}",
    "-webkit-linear-gradient()": ".b{background:-webkit-linear-gradient(red,lime)}",
    "the unit ch": ".b{width:2ch}",
    "the unit ex": ".b{width:2ex}",
    "!important, and leaves such a declaration out": ".b{background:red!important}",
    "@container": "body{container-type:inline-size}@container (min-width:10px){.b{background:red}}",
    "@scope": "@scope (body){.b{background:red}}",
    ":has": ".r:has(.b){background:red}",
    "::first-line": ".t::first-line{color:red}",
    "::first-letter": ".t::first-letter{color:red}",
    ":nth-child(... of ...)": ".b:nth-child(1 of .b){background:red}",
    "opacity on an <img> inside a line of text": "img{opacity:.2}",
    "filter on an <img> inside a line of text": "img{filter:grayscale(1)}",
    "transform on an <img> inside a line of text": "img{transform:rotate(20deg)}",
}
NOT_BY_ITSELF = {".t{width:30px;word-wrap": ".t{width:30px}",
                 ".b{border:5px": ".b{border:5px solid transparent}", ".r{display:grid": ".r{display:grid}",
                 ".t{text-decoration:": ".t{text-decoration:underline}",
                 "body{container": "", ".t::first-letter{initial": ""}  # fmt: skip


def page(css: str) -> str:
    """A page with a box, a text, a row and a picture."""
    return f"<!doctype html><style>{BASE}{css}</style>{BODY}"


def without(css: str) -> str:
    """What is left of the css when the engine passes over what it lacks."""
    return next((rest for start, rest in NOT_BY_ITSELF.items() if css.startswith(start)), "")


def warnings(html: str) -> list[str]:
    """What the inspector warns of."""
    return [one.message for one in Inspector().inspect(html).problems if one.severity is Severity.WARNING]


@pytest.mark.parametrize(("what", "css"), LACKING.items(), ids=str)
def test_lacking_is_warned_of_and_lacking(what: str, css: str, takumi: Studio) -> None:
    """What is warned of changes nothing in the picture: an engine that learns it makes the warning a lie."""
    assert any(one.startswith(f"the embedded engine does not know {what}") for one in warnings(page(css)))
    assert takumi.draw(page(css), size=(260, 220)) == takumi.draw(page(without(css)), size=(260, 220))


@pytest.mark.full
@pytest.mark.parametrize("css", LACKING.values())
def test_a_browser_knows_what_is_lacking(css: str, chromium: Studio) -> None:
    """The advice to use the browser engine is good: there the css changes the picture."""
    assert chromium.draw(page(css), size=(260, 220)) != chromium.draw(page(without(css)), size=(260, 220))


VECTOR = uri(b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="8"/></svg>', "image/svg+xml")
# What goes wrong where it stands -> html that a browser draws like the html after it, and the embedded engine does not.
MISPLACED = {
    "a rem other than 16px": (
        "<style>html{font-size:10px}p{width:3rem;height:20px;background:red;margin:0}</style><p>",
        "<style>p{width:30px;height:20px;background:red;margin:0}</style><p>",
    ),
    "max-width on an <img>, and squeezes it": (
        f"<style>img{{max-width:20px}}div{{display:flex;align-items:start}}</style><div><img src='{PICTURE}'></div>",
        f"<div style='display:flex'><img src='{PICTURE}' style='width:20px;height:15px'></div>",
    ),
    "max-height on an <img>, and squeezes it": (
        f"<div style='display:flex;align-items:start'><img style='max-height:15px' src='{PICTURE}'></div>",
        f"<div style='display:flex'><img src='{PICTURE}' style='width:20px;height:15px'></div>",
    ),
    "object-fit: cover on an SVG picture": (
        f"<style>.x{{width:80px;height:20px;object-fit:cover;display:block}}</style><img class=x src='{VECTOR}'>",
        f"<div style='width:80px;height:20px;background:url({VECTOR}) center/cover'></div>",
    ),
    "margin-right with display: inline-block": (
        "<style>.x{display:inline-block;margin-right:30px;background:red}</style><span class=x>two words</span>",
        "<span style='display:inline-flex;margin-right:30px;background:red'>two words</span>",
    ),
    "a width in per cent with display: inline-block": (
        "<div><div style='display:inline-block;width:50%;height:20px;background:red'></div></div>",
        "<div><div style='display:inline-block;width:130px;height:20px;background:red'></div></div>",
    ),
    "a gradient or picture behind text inside a line": (
        "<style>p span{background:linear-gradient(red,red);color:#fff}</style><p><span>you</span> {{a}}",
        "<style>p span{background:red;color:#fff}</style><p><span>you</span> {{a}}",
    ),
    "background: linear-gradient(": (
        "<div style='border:9px solid transparent;background:linear-gradient(#fff,#fff) padding-box,"
        "linear-gradient(red,red) border-box'>a</div>",
        "<div style='border:9px solid red;background:#fff'>a</div>",
    ),
    "how wide the cells of a <table> are": (
        "<table style='border-spacing:0'><td style='padding:0;background:red'>a</table>",
        "<div style='display:flex'><div style='background:red'>a</div></div>",
    ),
}


def plain(html: str) -> str:
    """A page without margins of its own."""
    return f"<!doctype html><style>{BASE}</style><body>{html}"


@pytest.mark.parametrize(("what", "pages"), MISPLACED.items(), ids=str)
def test_what_goes_wrong_where_it_stands_is_warned_of(what: str, pages: tuple[str, str], takumi: Studio) -> None:
    """The warning is true, and what is to be written instead gives none."""
    assert any(one.startswith(f"the embedded engine does not know {what}") for one in warnings(plain(pages[0])))
    assert warnings(plain(pages[1])) == []
    assert takumi.draw(plain(pages[0]), size=(260, 90)) != takumi.draw(plain(pages[1]), size=(260, 90))


@pytest.mark.full
@pytest.mark.parametrize("pages", MISPLACED.values(), ids=MISPLACED)
def test_a_browser_knows_it_where_it_stands(pages: tuple[str, str], chromium: Studio) -> None:
    """A browser draws both alike."""
    drawn = [chromium.image(plain(one), size=(260, 90)) for one in pages]
    assert sum(ImageChops.difference(*drawn).convert("L").histogram()[60:]) == 0


@pytest.mark.parametrize(
    "html",
    [
        "<style>img{max-width:100%;width:40px;height:30px}</style><img src=a.png>",
        "<style>.a{max-width:300px}</style><div class=a>",
        "<style>img{max-width:none}.b img{max-width:90px;object-fit:contain}</style>",
        "<style>.x{display:inline-block;margin:8px 0;margin-left:0px}</style><b class=x>",
        "<style>.x{display:inline-block;margin:0 8px;width:90px}</style><b class=x>",
        "<style>.x{background:linear-gradient(red,lime)}</style><b class=x></b><div class=x></div>",
        "<style>.x{background:linear-gradient(red,lime);display:inline-block}</style><b class=x>",
        "<style>.x{background:linear-gradient(red,lime)}</style><div class=row><b>a</b><span class=x>b</span></div>",
        "<style>.x{background:linear-gradient(red,lime)}</style>{{#if a}}<span class=x>b</span>{{/if}}<b>a</b>",
        "<style>.x{display:inline-block;margin:30px auto}</style><b class=x>",
        "<style>span.x::before{background:linear-gradient(red,lime)}b{background:red}</style><span class=x>",
        "<style>img{object-fit:cover}</style><img src='{{photo}}'>",
        "<style>html{font-size:16px}p{width:3rem}</style>",
        "<style>html{font-size:30px}p{width:3em}</style>",
        "<style>.a{background:red border-box;background-clip:text}</style>",
    ],
)
def test_what_stands_right_is_not_warned_of(html: str) -> None:
    """The same css for other elements, or beside css that makes it work, gives no warning."""
    assert warnings(html) == []


WORKING = [
    "font:italic 700 14px/1.5 Inter", "display:grid;grid-template-columns:1fr 2fr;gap:4px", "margin-inline:4px",
    "background:#eee url(x.png) center/cover no-repeat",
    "background:linear-gradient(45deg,red,blue),#fff", "padding-block:4px",
    "box-shadow:0 2px 4px 1px #000", "width:calc(100% - 2em)", "transform:translate(1px,2px) rotate(3deg) scale(2)",
    "filter:blur(2px)", "mask-image:linear-gradient(#000,transparent)", "clip-path:circle(40%)", "aspect-ratio:1",
    "-webkit-line-clamp:2", "text-decoration:underline red", "font-variant-numeric:tabular-nums", "inset:0",
    "background-clip:text", "border-image:none", "columns:auto", "grid-area:1/2/3/4", "content:'x'", "content:attr(a)",
    "position:absolute", "display:inline-flex", "--x:1px", "vertical-align:middle", "word-break:break-all",
    "background:{{paper}}", "width:{{w}}%", "grid-template-areas:none", "text-shadow:0 0 3px red", "border:1px dashed",
]  # fmt: skip


@pytest.mark.parametrize("declaration", WORKING)
def test_what_works_is_not_warned_of(declaration: str) -> None:
    """Css that the engine knows, and values that are not known yet, give no warning."""
    assert warnings(f"<style>.a, .b > p:first-child::before {{ {declaration} }}</style>") == []


def test_each_thing_is_told_once_with_its_first_place() -> None:
    """Ten uses make one warning, that says how many there are."""
    html = "<p>\n" + "<style>.a { columns: 2 }\n.b { columns: 3; zoom: 2 }</style>" * 5
    assert warnings(html) == [
        "the embedded engine does not know columns (10 places)",
        "the embedded engine does not know zoom (5 places)",
    ]
    first = Inspector().inspect(html).problems[0]
    assert (first.line, first.column, first.hint) == (2, 13, "use engine: chromium")


def test_elements_and_pictures() -> None:
    """Elements and kinds of pictures that the engine does not draw are warned of, with another way."""
    found = warnings(
        "<hr><sub></sub><input><video src=a.mp4></video><img src='a.avif'><img src='{{a}}.avif'><svg></svg>"
    )
    assert [one.removeprefix("the embedded engine does not know ") for one in found] == [
        "<hr>", "<sub>", "<input>", "<video>", "AVIF pictures"]  # fmt: skip


def test_it_is_linear() -> None:
    """A page of many elements and long selectors is looked at once."""
    for html in (
        "<span>" * 10_000,
        "x <b>" * 10_000,
        "<style>" + "a" * 100_000 + "!{max-width:1px}",
        "<style>" + "p,.a " * 10_000 + "{x:y}",
        "<i style='max-width:9px'>" * 1_000,
    ):
        begun = time.process_time()
        warnings(html)
        assert time.process_time() - begun < 3


def test_names_are_lower_case() -> None:
    """The lists are looked up by lower-case names."""
    for name in (*PROPERTIES, *FUNCTIONS):
        assert name == name.lower()
