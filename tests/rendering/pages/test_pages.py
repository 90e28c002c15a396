"""Whole pages: html, body, :root, styles, media queries, fonts and escaping mean what they mean in a browser."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from pictify_sync.rendering.fonts import find
from pictify_sync.rendering.page.document import compile_sheet, split, wrap_page
from tests.rendering.pages.studio import BLUE, GREEN, RED, SIZE, Studio, near, svg, uri

G = "background: #0f0"
NONE = (0, 0, 0, 0)


@pytest.mark.parametrize(
    "css",
    [
        f"body {{ {G} }}",
        f"html {{ {G} }}",
        f":root {{ {G} }}",
        f"html > body {{ {G} }}",
        f"html body.dark {{ {G} }}",
        f"html.tall body#page {{ {G} }}",
        f"body[data-x='1'] {{ {G} }}",
        f":is(main, body) {{ {G} }}",
        f"body:not(.light) {{ {G} }}",
        f":root body div, body {{ {G} }}",
        f"BODY {{ {G} }}",
        f".body, .html {{ background: #f00 }} body {{ {G} }}",
        f"body {{ background: #f00 }} .dark {{ {G} }}",
        f".dark {{ {G} }} body {{ background: #f00 }}",
        "html { --c: #0f0 } body { background: var(--c) }",
        f"@media (min-width: 1px) {{ body {{ {G} }} }}",
        f"@supports (display: flex) {{ body {{ {G} }} }}",
        f"@media screen {{ @media (min-height: 1px) {{ html body {{ {G} }} }} }}",
        f"/* body {{ background: red }} */ body {{ {G} }}",
        f"<!-- body {{ {G} }} -->",
        f"@charset 'utf-8'; @import 'x.css'; body {{ {G} }}",
        f"body {{ {G} ",
        f"nonsense {{ a: b; }} ::-x-y {{ c: d }} body {{ {G} }}",
    ],
)
def test_the_page_itself_can_be_styled(studio: Studio, css: str) -> None:
    """Selectors of html, body and :root reach the page, with the specificity they have in a browser."""
    html = f"<!doctype html><html class=tall lang=en><head><style>{css}</style></head>"
    assert studio.middle(f'{html}<body class="dark" id=page data-x=1></body></html>') == GREEN


def test_a_page_fills_its_picture(studio: Studio) -> None:
    """Body and html are as large as the picture, without margins, down to the last pixel."""
    image = studio.image("<body style='background:#0f0'><div style='width:100vw;height:100vh'></div></body>")
    assert {image.getpixel((x, y)) for x in (0, SIZE[0] - 1) for y in (0, SIZE[1] - 1)} == {GREEN}


SMALL = "width:20px;height:10px"


@pytest.mark.parametrize(
    ("css", "style", "colour"),
    [
        (f"body {{ {G}; {SMALL} }}", "", GREEN),
        (f"body {{ {SMALL} }} html > body {{ {G} }}", "", GREEN),
        (f"body, main {{ {SMALL} }} @media (min-width: 1px) {{ body {{ background-color: #0f0 }} }}", "", GREEN),
        (f":root {{ --c: #0f0 }} body {{ background: var(--c); {SMALL} }}", "", GREEN),
        (f"body {{ background: linear-gradient(#0f0, rgb(0, 255, 0)); {SMALL} }}", "", GREEN),
        (f"body {{ background: #f00; {SMALL} }} body {{ {G} }}", "", GREEN),
        (f"body {{ background: #f00; {SMALL} }} html {{ {G} }}", "", GREEN),
        (f"body {{ background: #f00; {SMALL} }}", G, GREEN),
        ("body { background: #0f0; margin: 50px 70px; height: 3px }", "", GREEN),
        (f"div {{ background: #f00; {SMALL} }}", "", NONE),
        ("", f"{G}; {SMALL}", GREEN),
        (f"html {{ {G} }}", f"background: #f00; {SMALL}", GREEN),
    ],
)
def test_the_background_of_a_small_body_is_the_pages(
    studio: Studio, css: str, style: str, colour: tuple[int, ...]
) -> None:
    """As in a browser: what is outside of the body has the background of html, or else that of the body."""
    assert studio.middle(f"<html><head><style>{css}</style></head><body style='{style}'></body></html>") == colour


@pytest.mark.parametrize("margin", ["", "margin:0", "margin:0 10px", "margin:30px 0"])
def test_a_margin_inside_does_not_move_the_page(studio: Studio, margin: str) -> None:
    """What comes first in a body may have a margin: it moves down, and the page's background begins at the top."""
    for css in (f"body{{{G};{margin}}}", f"body{{{G}}} html body{{{margin}}}"):
        image = studio.image(f"<style>{css} p{{margin:30px 0;height:9px;background:#00f}}</style><body><p></p>")
        assert (
            near(image.getpixel((60, 0))) == near(image.getpixel((60, 28))) == near(image.getpixel((60, 42))) == GREEN
        )
        assert near(image.getpixel((60, 34))) == BLUE


def test_a_translucent_background_is_painted_once(studio: Studio) -> None:
    """Two layers of a colour that shines through would be another colour."""
    for style in ("background:#00f8", "background:rgba(0,0,255,.5)", "background:rgb(0 0 255/50%)"):
        page = studio.image(f"<style>body{{{style};height:60px}}</style><body></body>")
        alphas = {colour[3] for _, colour in page.getcolors(1 << 20) or [] if isinstance(colour, tuple)}
        assert max(alphas) in range(120, 140)


@pytest.mark.parametrize(
    "html",
    [
        "<div style='height:80px;background:#0f0'></div>",
        "<style>div{height:80px;background:#0f0}</style><div></div>",
        "<head><title>x <b></title><style>div{height:80px;background:#0f0}</style></head><div></div>",
        "<!-- <style>div{background:#f00 !important}</style> --><div style='height:80px;background:#0f0'></div>",
        "<script>'<style>div{color:red}</style>'</script><p style='height:80px;margin:0;background:#0f0'>",
        "<BODY><STYLE type=text/css>div{height:80px;background:#0f0}</STYLE><DIV></DIV></BODY>",
        "<body title='a > b'><style media='(max-width: 10px)'>div{background:#f00!important}</style>"
        "<div style='height:80px;background:#0f0'></div>",
        "<svg width=120 height=80><style>.q{fill:#0f0}</style><rect class=q width=120 height=80 /></svg>",
    ],
)
def test_any_shape_of_page_is_read(studio: Studio, html: str) -> None:
    """Fragments and whole pages, with styles anywhere, comments, scripts and titles."""
    assert studio.middle(html) == GREEN


QUERIES = {  # query -> whether it holds for 120x80 and for 80x120
    "(max-width: 100px)": (False, True),
    "(min-width: 101px)": (True, False),
    "(width: 120px)": (True, False),
    "(max-height: 100px)": (True, False),
    "(min-height: 100px)": (False, True),
    "(orientation: landscape)": (True, False),
    "(orientation: portrait)": (False, True),
    "(min-aspect-ratio: 1/1)": (True, False),
    "(max-aspect-ratio: 1/1)": (False, True),
    "(aspect-ratio: 3/2)": (True, False),
    "screen and (min-width: 100px) and (max-height: 90px)": (True, False),
    "print, (max-width: 100px)": (False, True),
    "not all and (max-width: 100px)": (True, False),
    "(100px <= width < 200px)": (True, False),
    "only screen": (True, True),
    "print": (False, False),
    "(prefers-color-scheme: light)": (True, True),
    "(prefers-color-scheme: dark)": (False, False),
    "(prefers-reduced-motion: reduce)": (False, False),
}


@pytest.mark.parametrize("query", QUERIES)
def test_media_queries_hold_per_layout(studio: Studio, query: str) -> None:
    """One page serves all layouts: queries of width, height, orientation and shape are answered for each size."""
    html = f"<style>body{{background:#f00}} @media {query} {{ body {{ background: #0f0 }} }}</style><body></body>"
    got = tuple(studio.middle(html, size=size) == GREEN for size in ((120, 80), (80, 120)))
    assert got == QUERIES[query]


def test_values_are_text(studio: Studio) -> None:
    """Markup in a value is shown, not obeyed: in text, in attributes and in styles of attributes."""
    evil = "<div style='position:absolute;inset:0;background:#f00'></div>"
    shown = studio.image("<body style='background:#0f0;color:#00f'>{{v}}</body>", {"v": evil})
    counts = {colour: count for count, colour in shown.getcolors(1 << 20) or []}
    assert RED not in counts
    assert counts[GREEN] < SIZE[0] * SIZE[1]  # text is there
    quoted = '"><div style="position:absolute;top:0;left:0;width:200px;height:200px;background:#f00"></div>'
    for html in ('<p class="{{v}}">x</p>', '<p style="color:{{v}}">x</p>', "<p title='{{v}}'>x</p>"):
        assert RED not in {one for _, one in studio.image(html, {"v": quoted}).getcolors(1 << 20) or []}


def test_values_inside_styles(studio: Studio) -> None:
    """A variable may stand in a <style>: each picture has its own sheet."""
    html = "<style>body { background: {{colour}} }</style><body></body>"
    assert [studio.middle(html, {"colour": one}) for one in ("#f00", "#0f0", "#f00")] == [RED, GREEN, RED]


def test_fonts_inside_a_page(studio: Studio) -> None:
    """An @font-face with its font in the page is used, for that page only; one that cannot be had is passed over."""
    data = find(["Noto Sans"])[0].path.read_bytes()

    def page(face: str, used: str) -> bytes:
        rule = f"@font-face{{font-family:{face};src:url({source});font-weight:100 900}}"
        return studio.draw(f"<style>{rule}body{{font-family:{used};font-size:30px}}</style><body>Hamburg</body>")

    source = uri(data, "font/ttf")
    without = page("Mine", "Nothing")
    assert page("Mine", "Mine") != without
    assert page("'My own'", "'My own'") != without
    assert page("Other", "Mine") == without
    source = "https://fonts.example/x.woff2"
    assert page("Mine", "Mine") == without


def test_fallback_fonts(takumi: Studio) -> None:
    """A letter that the named font lacks comes from the families that were asked for, in their order."""
    letters = Studio("takumi", ("Heebo",)), Studio("takumi", ())
    drawn = [one.draw("<body style='font-family:Inter;font-size:40px'>שלום</body>") for one in letters]
    assert drawn[0] != drawn[1]
    with TTFont(find(["Heebo"])[0].path, lazy=True) as font:
        assert ord("ש") in font.getBestCmap()


def test_inline_vector_pictures(studio: Studio) -> None:
    """SVG in the page with references inside itself is drawn."""
    stops = '<stop offset="0" stop-color="#0f0"/><stop offset="1" stop-color="#0f0"/>'
    inside = f'<defs><linearGradient id="g">{stops}</linearGradient><rect id="r" width="120" height="80"/></defs>'
    assert studio.middle(svg(inside + '<use href="#r" fill="url(#g)"/>').decode()) == GREEN
    blue = uri(svg('<rect width="9" height="9" fill="#00f"/>', (9, 9)), "image/svg+xml")
    nested = f'<image href="{blue}" width="120" height="80" preserveAspectRatio="none"/>'
    assert studio.middle(svg(nested).decode()) == BLUE


def test_splitting_is_linear_and_total() -> None:
    """Unclosed and repeated markup of any kind is taken apart in one pass."""
    for piece in ("<style>", "<!--", "<script ", '<a "', "<svg>", "<body ", "</style", "<title", "<html '"):
        taken = split(piece * 50_000)
        assert wrap_page(taken.root, taken.body, taken.inner)


def test_sheets_are_rewritten_only_where_they_name_the_page() -> None:
    """Names that only look like html or body stay as they are."""
    for css in (".body{}", "#html{}", "a[body]{}", "p:body{}", ".x-body .html-x{}", "@keyframes body{from{top:0}}"):
        assert "page-" not in compile_sheet(css, whole_pages=False).css
