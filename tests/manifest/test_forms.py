"""What Git, editors and file systems do to text is no change: line ends, byte order marks, Unicode forms."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.manifest.forms import decode, normal_file, normal_text, normal_value
from pictify_sync.rendering.inspect import Inspector
from tests.manifest.project import ASSETS, Project

BOM = b"\xef\xbb\xbf"
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda content: content.replace(b"\n", b"\r\n"),
    "cr": lambda content: content.replace(b"\n", b"\r"),
    "bom": lambda content: BOM + content,
    "nfd": lambda content: unicodedata.normalize("NFD", content.decode()).encode(),
    "all": lambda content: BOM + unicodedata.normalize("NFD", content.decode()).encode().replace(b"\n", b"\r\n"),
}
HTML = """<html>
<head><link rel="stylesheet" href="card.css"></head>
<body>
<b>{{title}} é</b>{{email}}
<img src="logo.svg"><img src='{{photo}}'></body></html>
"""
TEXTS = {
    "manifests/card.html": HTML,
    "manifests/card.css": '@import "more.css";\nb { color: red }\nb::after { content: "é" }\n',
    "manifests/more.css": "i {\n  color: blue\n}\n",
    "manifests/logo.svg": '<svg xmlns="http://www.w3.org/2000/svg">\n<text>é</text>\n</svg>\n',
    "manifests/photo.svg": "<svg>\n<title>ü</title>\n</svg>\n",
}
ROWS = {
    "rows.csv": 'id,title,photo\na,"é\ntwo",photo.svg\n',
    "rows.tsv": 'id\ttitle\tphoto\na\t"é\ntwo"\tphoto.svg\n',
    "rows.json": '[\n{"id": "a", "title": "é\\ntwo", "photo": "photo.svg"}\n]\n',
    "rows.jsonl": '{"id": "a", "title": "é\\ntwo", "photo": "photo.svg"}\n',
    "rows.yaml": "- id: a\n  title: |-\n    é\n    two\n  photo: photo.svg\n",
    "inline": "",
}
INLINE = '[{id: a, title: "é\\ntwo", photo: photo.svg}]\nwhere: "{{ title != \'ü\n\n  x\' }}"'


@pytest.fixture
def texts(project: Project) -> Project:
    """A project with every kind of text file that a picture can depend on."""
    for name, text in TEXTS.items():
        project.write(name, text)
    return project


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", ROWS)
def test_another_form_of_every_file_renders_nothing_again(texts: Project, rows: str, form: str) -> None:
    """Fingerprints, the pushed html and what is sent are the same, whichever of them a checkout changed."""
    files = {**TEXTS, "manifests/a.yaml": ASSETS.replace("rows.jsonl", INLINE if rows == "inline" else rows)}
    files |= {} if rows == "inline" else {f"manifests/{rows}": ROWS[rows]}
    files["manifests/card.yaml"] = (texts.folder / "manifests/card.yaml").read_text() + "# é\n"
    before = read(texts, {name: text.encode() for name, text in files.items()})
    assert before[0][3] == "é\ntwo"
    assert read(texts, {name: FORMS[form](text.encode()) for name, text in files.items()}) == before


def read(project: Project, files: dict[str, bytes]) -> tuple[list[object], object]:
    """What is planned and sent of these files."""
    for name, content in files.items():
        project.write(name, content)
    found = project.read(inspector=Inspector())
    (template,) = found.templates
    planned: list[object] = []
    for asset in found:
        payload = found.payload(asset.key, asset.variables)
        planned += [asset.key, asset.fingerprint, payload["photo"], payload["title"]]
    return planned, (template.html, template.source, template.digest, template.revisions)


def test_text_in_the_normal_form_has_the_digest_of_its_bytes(texts: Project) -> None:
    """Nothing is added or left out: recorded fingerprints of such files stay what they are."""
    texts.rows({"id": "a", "title": "é", "photo": "photo.svg"})
    (first, _) = texts.read()
    content = (texts.folder / "manifests/photo.svg").read_bytes()
    assert json.loads(first.variables)["photo"]["sha256"] == sha256(content).hexdigest()
    assert first.fingerprint.variables == digest(canonical(json.loads(first.variables)))


@given(st.text())
def test_the_normal_form_is_one_and_stays(text: str) -> None:
    """Making it twice changes nothing more, no CR is left, and plain text comes back as the same object."""
    once = normal_text(text)
    assert normal_text(once) == once
    assert "\r" not in once
    assert normal_text(text.replace("\n", "\r\n").replace("\r\r\n", "\r\n")) == normal_text(text.replace("\r\n", "\n"))
    plain = "a\nb" * 3
    assert normal_text(plain) is plain


def test_ideographs_of_names_are_kept() -> None:
    """NFC would write a person's name with another character; accents beside it are joined all the same."""
    assert normal_text("\ufa19 e\u0301 \U0002f800") == "\ufa19 é \U0002f800"
    assert normal_text("\u1112\u1161\u11ab") == "한"


def test_values_of_any_depth() -> None:
    """Texts in lists and mappings, and names of mappings; nothing else changes."""
    value = {"e\u0301": ["a\r\nb", {"x": "\r"}], "n": 1, "f": 1.5, "b": True, "z": None}
    assert normal_value(value) == {"é": ["a\nb", {"x": "\n"}], "n": 1, "f": 1.5, "b": True, "z": None}


@pytest.mark.parametrize("name", ["x.png", "x.woff2", "x.bin", "x.pdf"])
def test_other_files_are_their_bytes(name: str) -> None:
    """A picture or font is never touched, whatever it looks like."""
    assert normal_file(name, b"\r\n<svg>\r\n") == b"\r\n<svg>\r\n"
    assert normal_file("x.svg", b"\xff\r\n") == b"\xff\r\n"  # not UTF-8: whoever draws it may know


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf_16_is_an_error_that_says_so(project: Project, codec: str) -> None:
    """Of html, manifests and rows, with the remedy."""
    text = ("\ufeff" if codec != "utf-16" else "") + "id,title\r\na,é\r\n"
    for name in ("manifests/card.html", "manifests/rows.csv"):
        project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", "rows.csv" if "csv" in name else "rows.jsonl"))
        project.write(name, text.encode(codec))
        told = project.fails()
        assert "not UTF-8: it is UTF-16; save the file as UTF-8" in told
    with pytest.raises(UnicodeDecodeError, match="it is UTF-16"):
        decode(text.encode(codec))


Form = Literal["NFC", "NFD"]


@pytest.mark.parametrize("here", get_args(Form))
@pytest.mark.parametrize("there", get_args(Form))
def test_a_file_is_found_whichever_form_its_name_has(project: Project, here: Form, there: Form) -> None:
    """A reference and the name on the disk may differ in Unicode form, in folders too; the fingerprint does not."""
    names = [unicodedata.normalize(there, name) for name in ("café/été.svg", "café/rangées.csv", "café/carte.html")]
    said = [unicodedata.normalize(here, name) for name in ("café/été.svg", "café/rangées.csv", "café/carte.html")]
    project.write(f"manifests/{names[0]}", "<svg/>")
    project.write(f"manifests/{names[1]}", f"id,title,photo,email\na,A,{said[0]},\n")
    project.write(f"manifests/{names[2]}", (project.folder / "manifests/card.html").read_bytes())
    project.edit("manifests/card.yaml", lambda text: text.replace("card.html", said[2]))
    project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", said[1]))
    found = project.read()
    (first, _) = found
    assert not found.problems
    assert json.loads(first.variables)["photo"]["$file"] == "manifests/café/été.svg"
    assert str(found.payload(first.key, first.variables)["photo"]).startswith("data:image/svg+xml;base64,")
    assert Path(project.folder / "manifests" / names[0]).exists()
