"""The css that cards are made of takes effect in each engine: a page with it looks different from one without."""

from __future__ import annotations

import pytest

from pictify_sync.rendering.engines.takumi.longhands import expand_longhands
from tests.rendering.pages.studio import GREEN, RED, Studio, halves, near, picture, uri

BOX = ".b{width:80px;height:40px;background:#ccc}"
BODY = f"""<body><p>The quick <b>brown</b> fox jumps over it again and again, <span>and</span> again</p>
<div class=r data-x=1><div class=c>one</div><div class=c>two</div></div><div class=b></div>
<img src="{uri(halves(), "image/jpeg")}"></body>"""

FEATURES = {  # name -> css with, css without
    "font-family": ("p{font-family:Noto Sans}", ""),
    "font-size": ("p{font-size:30px}", ""),
    "font-weight": ("p{font-weight:700}", ""),
    "font-style": ("p{font-family:Noto Sans;font-style:italic}", "p{font-family:Noto Sans}"),
    "font": ("p{font:italic bold 22px/1.4 'Noto Sans',serif}", ""),
    "line-height": ("p{line-height:2}", ""),
    "letter-spacing": ("p{letter-spacing:3px}", ""),
    "text-align": ("p{text-align:center}", ""),
    "text-transform": ("p{text-transform:uppercase}", ""),
    "text-decoration": (".c{text-decoration:line-through}", ""),
    "text-shadow": ("p{text-shadow:0 2px 4px #f00}", ""),
    "ellipsis": ("p{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}", "p{white-space:nowrap}"),
    "line-clamp": ("p{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:1;overflow:hidden}", ""),
    "color": ("p{color:#f00}", ""),
    "custom properties": (":root{--w:33px} .b{width:var(--w)}", ""),
    "calc": (".b{width:calc(50% - 10px)}", ""),
    "flex": (".r{display:flex}", ""),
    "justify-content": (".r{display:flex;justify-content:space-between}", ".r{display:flex}"),
    "align-items": (".r{display:flex;height:90px;align-items:center}", ".r{display:flex;height:90px}"),
    "gap": (".r{display:flex;gap:20px}", ".r{display:flex}"),
    "flex-grow": (".r{display:flex} .c{flex:1}", ".r{display:flex}"),
    "grid": (".r{display:grid;grid-template-columns:1fr 2fr}", ""),
    "padding": (".r{padding:10px}", ""),
    "margin": (".r{margin:10px}", ""),
    "absolute": (".b{position:absolute;right:0;bottom:0}", ""),
    "inset": (".b{position:absolute;inset:10px;width:auto}", ""),
    "z-index": (".b{position:relative;z-index:-1;margin-top:-20px}", ".b{position:relative;margin-top:-20px}"),
    "overflow": (".r{width:12px;overflow:hidden}", ".r{width:12px}"),
    "max-width": (".b{max-width:30px}", ""),
    "viewport units": (".b{width:20vw}", ""),
    "rem": ("html{font-size:30px} .b{width:3rem}", ".b{width:3rem}"),
    "aspect-ratio": (".b{height:auto;aspect-ratio:2/1}", ".b{height:auto}"),
    "background": (".b{background:#f00}", ""),
    "linear-gradient": (".b{background:linear-gradient(90deg,#f00,#00f)}", ""),
    "radial-gradient": (".b{background:radial-gradient(#f00,#00f)}", ""),
    "two backgrounds": (".b{background:linear-gradient(#0008,#0008),#f00}", ".b{background:#f00}"),
    "text in a gradient": (".c{background:linear-gradient(red,blue);background-clip:text;color:transparent}", ""),
    "border": (".b{border:3px solid #f00}", ""),
    "border-radius": (".b{border-radius:50%}", ""),
    "box-shadow": (".b{box-shadow:0 4px 8px 0 #f00}", ""),
    "opacity": (".b{opacity:.5}", ""),
    "transform": (".b{transform:rotate(10deg) translate(5px, 2px)}", ""),
    "filter": (".b{filter:blur(3px)}", ""),
    "mix-blend-mode": (".b{margin-top:-20px;mix-blend-mode:multiply}", ".b{margin-top:-20px}"),
    "clip-path": (".b{clip-path:circle(20px)}", ""),
    "mask-image": (".b{mask-image:linear-gradient(#000,transparent)}", ""),
    "object-fit": ("img{width:60px;height:60px;object-fit:cover}", "img{width:60px;height:60px}"),
    "pseudo-elements": (".b::before{content:'hello'}", ""),
    ":nth-child": (".c:nth-child(2){background:#f00}", ""),
    ":first-child": (".c:first-child{background:#f00}", ""),
    "child": (".r>.c{background:#f00}", ""),
    "attribute": ("[data-x]{background:#f00}", ""),
    ":not": (".c:not(.x){background:#f00}", ""),
    "nesting": (".r{.c{background:#f00}}", ""),
    "!important": (".b{width:50px !important} .b{width:90px}", ".b{width:90px}"),
    "supports": ("@supports (display:flex){.b{background:#f00}}", ""),
    "display none": (".b{display:none}", ""),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_features_take_effect(studio: Studio, feature: str) -> None:
    """An upgrade of an engine that loses a feature is seen here."""
    pictures = [studio.draw(f"<style>{BOX}{css}</style>{BODY}", size=(240, 280)) for css in FEATURES[feature]]
    assert pictures[0] != pictures[1]


def test_a_missing_feature_is_seen(studio: Studio) -> None:
    """The probe itself works: css that means nothing changes nothing."""
    pictures = [studio.draw(f"<style>{BOX}{css}</style>{BODY}", size=(240, 280)) for css in (".b{nothing:1}", "")]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("font:20px Inter", "font-size:20px;font-family:Inter"),
        ("FONT : bold 20px/2 Inter, serif", "font-size:20px;font-weight:bold;line-height:2;font-family:Inter"),
        ("font:italic 650 2em/30px 'Noto Sans'", "font:2em X;font-style:italic;font-weight:650;line-height:30px"),
        ("font:20px/normal Noto Sans;font-weight:700", "font-size:20px;font-family:Noto Sans;font-weight:bold"),
        ("color:red;font:20px Inter !important;font-size:9px", "font-size:20px;font-family:Inter;color:red"),
        ("--f:Inter;font:20px var(--f)", "font-size:20px;font-family:Inter"),
    ],
)
def test_the_font_shorthand(studio: Studio, short: str, long: str) -> None:
    """It means what its longhands mean, in sheets as in style attributes."""
    long = long.replace("font:2em X", "font-size:2em;font-family:'Noto Sans'")
    want = studio.draw(f"<style>p{{{long}}}</style><p>Hamburg<br>burg</p>")
    assert studio.draw(f"<style>p{{{short}}}</style><p>Hamburg<br>burg</p>") == want
    assert studio.draw(f'<p style="{short}">Hamburg<br>burg</p>') == want


def test_clamped_text_ends_in_an_ellipsis(studio: Studio) -> None:
    """Text that was cut shows it, in a sheet and in a style attribute, unless the template says how it is to end."""
    clamp = "display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden"
    clamp += ";width:150px;font-size:20px"
    words = "one two three four five six seven eight"
    want = studio.draw(f"<style>p{{{clamp};text-overflow:ellipsis}}</style><p>{words}", size=(200, 100))
    assert studio.draw(f"<style>p{{{clamp}}}</style><p>{words}", size=(200, 100)) == want
    assert studio.draw(f'<p style="{clamp}">{words}', size=(200, 100)) == want
    assert studio.draw(f"<style>p{{{clamp}}}</style><p>one two", size=(200, 100)) != want
    assert "ellipsis" not in expand_longhands(f"{clamp};text-overflow:clip") + expand_longhands(
        "font-size:2px;overflow:hidden"
    )


TILE = uri(picture(colour="#f00", size=(40, 40)))


@pytest.mark.parametrize(
    "background",
    [
        f"background:url({TILE}) center/cover",
        f"background:#0f0 url('{TILE}') center/cover no-repeat",
        f"background-image:linear-gradient(#f00,#f00),URL({TILE});background-size:cover",
        f"background:url({TILE})",
        "background-image:linear-gradient(#f00,#f00);background-size:30px 30px",
        f"background-size:cover;background-image:url({TILE})",
    ],
)
def test_a_background_ends_with_its_box(studio: Studio, background: str) -> None:
    """What a picture has more than its box is cut off, in a sheet as in a style attribute."""
    for html in (
        f"<style>.a{{{background}}}</style><body><div class=a style='width:100px;height:20px'></div>",
        f'<body><div style="width:100px;height:20px;{background}"></div>',
    ):
        image = studio.image(html)
        assert near(image.getpixel((50, 10))) == RED
        assert {near(image.getpixel((50, y)))[3] for y in range(21, 80)} == {0}
        assert {near(image.getpixel((x, 10)))[3] for x in range(101, 120)} == {0}


def test_where_a_background_ends_may_be_said() -> None:
    """A template's own word counts, and a plain colour needs none."""
    for css in ("background:#f00;", "background:url(a)  border-box;", "background:url(a);background-clip:text;"):
        assert "padding-box" not in expand_longhands(css)
    assert "padding-box" in expand_longhands("background:url(a-box.png)")


@pytest.mark.parametrize("place", ["position:absolute;left:0;top:0", "display:inline-block", "float:left"])
def test_a_pseudo_element_without_text_is_a_box(studio: Studio, place: str) -> None:
    """The usual way to draw a line or a dot."""
    css = f"div{{font-size:9px}}div::before{{content:'';{place};width:60px;height:60px;background:#0f0}}"
    assert near(studio.image(f"<style>{css}</style><body><div></div>").getpixel((30, 30))) == GREEN


@pytest.mark.parametrize("how", ["position:absolute;bottom:0;left:0", "display:block", "float:right", ""])
@pytest.mark.parametrize("selector", ["h2::after", ".a:after", "#b::after", "@media screen{p,div > h2.a::after"])
def test_text_beside_a_pseudo_element(studio: Studio, selector: str, how: str) -> None:
    """An `::after` leaves the text of its element where it is."""
    css = "body{font:20px Inter}h2{margin:0;position:relative;background:#0f0}"
    html = "<body><div><h2 class='x a' id=b>Text</h2></div><p style='height:9px;background:#00f'></p>"
    drawn = [studio.image(f"<style>{css}{rule}</style>{html}") for rule in (f"{selector}{{content:' ';{how}}}", "")]
    dark = [[near(one.getpixel((x, y)))[1] < 128 for x in range(60) for y in range(24)] for one in drawn]
    assert dark[0] == dark[1]
    assert sum(dark[0]) > 50
    assert near(drawn[0].getpixel((100, 12))) == GREEN


def test_an_item_that_does_not_shrink(studio: Studio) -> None:
    """`flex: none` is `0 0 auto`, in a sheet and in a style attribute."""
    html = "<style>div{{height:80px}}.a{{background:#0f0;width:70px;{}}}.b{{flex-shrink:0;width:60px}}</style>"
    html += "<body><div style='display:flex'><div class=a style='{}'></div><div class=b></div></div>"
    for page in (html.format("flex:none", ""), html.format("", "flex: NONE")):
        assert near(studio.image(page).getpixel((66, 40))) == GREEN


def test_a_vector_picture_keeps_its_shape(studio: Studio) -> None:
    """An SVG picture fits itself into a box of another shape, unless it or the template says otherwise."""
    inside = '<rect width="40" height="40" fill="#0f0"/>'
    page = "<body><img style='display:block;width:120px;height:40px;{}' src=\"{}\">"
    for head, style, wide in (
        ('viewBox="0 0 40 40"', "", False),
        ('width="40" height="40" viewBox="0 0 40 40"', "", False),
        ('viewBox="0 0 40 40" preserveAspectRatio="none"', "", True),
        ('width="40" height="40"', "", True),
        ('viewBox="0 0 40 40"', "object-fit:contain", False),
    ):
        source = uri(f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{inside}</svg>'.encode(), "image/svg+xml")
        image = studio.image(page.format(style, source))
        assert near(image.getpixel((60, 20))) == GREEN
        assert (near(image.getpixel((10, 20)))[3] == 255) is wide


def test_hidden_elements_are_not_drawn(studio: Studio) -> None:
    """The attribute `hidden` takes an element out."""
    assert studio.middle("<body><p hidden style='margin:0;height:80px;background:#f00'></p>")[3] == 0


def test_what_is_no_font_shorthand_stays() -> None:
    """Values that are not understood, other properties and nested rules are kept."""
    for css in ("font:inherit;", "font:var(--all);", "font-size:3px;", "a:url(x);", "--font: x;", "font:12px;"):
        assert expand_longhands(css).replace(" ", "") == css.replace(" ", "")
    assert "font-size:3px" in expand_longhands("&:hover{font:3px a}")
