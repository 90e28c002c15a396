"""Local files put into a page."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.rendering.page.inline import files, inline

PIXEL, FONT, SVG = b"\x89PNG...", b"\x00\x01font", b"<svg xmlns='http://www.w3.org/2000/svg'/>"
DISK = {
    "a.png": PIXEL, "pics/b.jpg": b"\xff\xd8", "f/x.woff2": FONT, "s.svg": SVG, "ä b.webp": b"RIFF", "odd": SVG,
    "plain.css": b"p { color: red }", "css/deep.css": b'@import "more/two.css"; .d { background: url(../a.png) }',
    "css/more/two.css": b".t { background: url('../../pics/b.jpg'); mask: url(gone.png) }",
    "loop.css": b'@import "loop.css"; b { top: 0 }', "bom.css": "\ufeffi { left: 0 }".encode(),
    "evil.css": b".x { content: '</style><script>' }", "vars.css": b".v { color: {{color}} }",
}  # fmt: skip


def uri(media: str, data: bytes) -> str:
    """A data: URI."""
    return f"data:{media};base64,{b64encode(data).decode()}"


PNG, JPG = uri("image/png", PIXEL), uri("image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="a.png" alt=x>', f'<img src="{PNG}" alt=x>'),
        ("<IMG\n SRC = 'pics/b.jpg'/>", f"<IMG\n SRC = '{JPG}'/>"),
        ("<img src=a.png>", f"<img src={PNG}>"),
        ('<img src="a.png?v=2">', f'<img src="{PNG}">'),
        ('<img src="%C3%A4%20b.webp">', f'<img src="{uri("image/webp", b"RIFF")}">'),
        ('<img src="odd">', f'<img src="{uri("image/svg+xml", SVG)}">'),
        ('<img srcset="a.png 1x, pics/b.jpg 2x">', f'<img srcset="{PNG} 1x, {JPG} 2x">'),
        ('<svg><image href="a.png"/><image xlink:href="a.png"/></svg>',
         f'<svg><image href="{PNG}"/><image xlink:href="{PNG}"/></svg>'),
        ('<use href="s.svg#star">', f'<use href="{uri("image/svg+xml", SVG)}#star">'),
        ('<p style="background: url(a.png) no-repeat">', f'<p style="background: url({PNG}) no-repeat">'),
        ("<p style='background: url(&quot;a.png&quot;)'>", f"<p style='background: url({PNG})'>"),
        ("<style>/* url(a.png) */ p { background: #fff URL( 'a.png' ) , url(a.png) }</style>",
         f"<style>/* url(a.png) */ p {{ background: #fff url({PNG}) , url({PNG}) }}</style>"),
        ("<style>@font-face { font-family: X; src: url(f/x.woff2) format('woff2') }</style>",
         f"<style>@font-face {{ font-family: X; src: url({uri('font/woff2', FONT)}) format('woff2') }}</style>"),
        ("<style>@media screen { p { background: url(a.png) } }\r\nq{}</style>",
         f"<style>@media screen {{ p {{ background: url({PNG}) }} }}\r\nq{{}}</style>"),
        ('<link rel="stylesheet" href="plain.css">!', "<style>p { color: red }</style>!"),
        ('<link media=print href="bom.css" rel=stylesheet />', '<style media="print">i { left: 0 }</style>'),
        ('<link rel=stylesheet href="evil.css">', "<style>.x { content: '<\\/style><script>' }</style>"),
        ('<link rel=stylesheet href="vars.css">', "<style>.v { color: {{color}} }</style>"),
        ('<style>@import url("plain.css") screen; b{}</style>', "<style>@media screen{p { color: red }} b{}</style>"),
        ("<style>@import 'loop.css';</style>", "<style> b { top: 0 }</style>"),
        ('<link rel="stylesheet" href="css/deep.css">',
         f'<style>.t {{ background: url({JPG}); mask: url("css/more/gone.png") }} '
         f".d {{ background: url({PNG}) }}</style>"),
        ("<style>.{{a}} { background: url(a.png); width: {{w}}px; {{#if x}}top: 0;{{/if}} }</style>",
         f"<style>.{{{{a}}}} {{ background: url({PNG}); width: {{{{w}}}}px; "
         "{{#if x}}top: 0;{{/if}} }</style>"),
    ],
)  # fmt: skip
def test_inline(html: str, expected: str) -> None:
    """A local file is put in where it is named; all else stays to the byte."""
    assert inline(html, DISK.get) == expected


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://example.com/a.png"><img src="//cdn/a.png"><img src="data:image/png;base64,AA">',
        '<img src="{{picture}}"><img src="pics/{{name}}.png"><img src="{{default picture "a.png"}}"><img src="">',
        '<a href="a.png">x</a><use href="#star"/><p style="fill: url(#g)"><img alt="a.png">',
        '<link rel="icon" href="a.png"><link rel="preload" href="plain.css"><script src="a.png"></script>',
        '<!-- <img src="a.png"> --><script>"<img src=a.png>"</script><textarea><img src=a.png></textarea>',
        '{{!-- <img src="a.png"> --}}{{! <img src="a.png"> }}<style>p { content: "url(a.png)" }</style>',
        '<img src="gone.png"><link rel=stylesheet href="gone.css"><style>@import "gone.css";</style>',
        '<style>p { background: url({{picture}}); mask: url("{{a}}/b.png") }</style>',
        "<img src='a.png", "<style>p { background: url(a.png", "<", "<img src=", "</style>", "<style>@import ;@import",
    ],
)  # fmt: skip
def test_what_is_not_a_local_file_stays(html: str) -> None:
    """The web, variables, anchors, comments, scripts, what is missing and what is cut off are left alone."""
    assert (
        inline(html, {name: data for name, data in DISK.items() if "url(a.png" not in html or name != "a.png"}.get)
        == html
    )


NAMES = st.sampled_from([*DISK, "gone.png", "css/gone.css", "https://x/y.png", "{{v}}", "#a", "data:,x", "../up.png"])
PARTS = st.one_of(
    NAMES.map('<img src="{}">'.format), NAMES.map("<link rel=stylesheet href='{}'>".format),
    NAMES.map("<p style='background:url({})'>x</p>".format), NAMES.map('<style>@import "{}"; q{{}}</style>'.format),
    NAMES.map("<style>a{{mask:url('{}')}}</style>".format), NAMES.map("<svg><image href={} /></svg>".format),
    st.text(alphabet="<>&'\"{}()/*!-; \nastyleimgurl=#@:.", max_size=30), st.text(max_size=10),
)  # fmt: skip
PAGES = st.lists(PARTS, max_size=8).map("".join)


@given(PAGES)
def test_doing_it_twice_changes_nothing_more(html: str) -> None:
    """Inlining is idempotent, with and without the files at hand the second time."""
    once = inline(html, DISK.get)
    assert inline(once, DISK.get) == once


@given(PAGES)
def test_without_files_nothing_changes(html: str) -> None:
    """A page whose files are all missing stays as it is, to the byte."""
    assert inline(html, lambda name: None) == html


@given(PAGES)
def test_files_are_what_inlining_asks_for(html: str) -> None:
    """The files told are those that are read for the page itself, each once, none of them from the web."""
    named = files(html)
    assert len(named) == len(set(named))
    assert not [name for name in named if name.startswith(("http", "data:", "#", "//")) or "{{" in name]


def test_only_named_files_are_read() -> None:
    """Nothing is read that the page or its css does not name."""
    read: list[str] = []

    def disk(name: str) -> bytes | None:
        read.append(name)
        return DISK.get(name)

    inline('<link rel=stylesheet href="css/deep.css"><img src="../../etc/passwd">', disk)
    assert set(read) == {
        "css/deep.css",
        "css/more/two.css",
        "css/more/gone.png",
        "pics/b.jpg",
        "a.png",
        "../../etc/passwd",
    }


def test_css_that_imports_itself_many_times_ends() -> None:
    """Stylesheets that double with every level stop at a size, and soon."""
    disk = {f"{n}.css": f'@import "{n + 1}.css";@import "{n + 1}.css";'.encode() + b"p{}" * 500 for n in range(40)}
    started = time.perf_counter()
    assert len(inline('<link rel=stylesheet href="0.css">', disk.get)) < 100_000_000
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "page",
    ["<" * 300_000, "<img " * 60_000, "<style>" * 40_000, "<!--" * 60_000, "{{!" * 80_000, '<a b="' * 40_000,
     "<style>" + "url(" * 60_000, "<style>" + "a{" * 100_000, "<p style='" + "(" * 200_000 + "'>",
     "<img src=" + " " * 300_000, "<style>" + "/*" * 100_000, "<style>@import " + "'" * 200_000,
     "<style>" + "{{" * 60_000, "<style>" + "{{a}}" * 40_000, "<style>" + "{{!--" * 50_000,
     "<style>" + "{{{" * 90_000 + "}}", "<style>" + "</style " * 40_000, "<p style='" + "{{!" * 90_000],
)  # fmt: skip
def test_hostile_pages_end_soon(page: str) -> None:
    """Pages of 300 kB made to confuse a reader take no longer than others."""
    started = time.perf_counter()
    inline(page, lambda name: None)
    assert time.perf_counter() - started < 5


def test_bytes_survive() -> None:
    """What is decoded from the page is what was read."""
    data = bytes(range(256)) * 40
    html = inline('<img src="x.png">', {"x.png": data}.get)
    assert b64decode(html.split("base64,")[1].removesuffix('">')) == data
