"""Sensitive values of every type, in runs that fail and runs that succeed: nothing written or said holds one."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from tests.end_to_end.project import ProjectFolder
from tests.end_to_end.test_remote import SETTINGS, served

SECRETS = """\
version: 1
kind: template
name: card
html: card.html
width: 60
height: 40
variables:
  title: {type: text, sensitive: true, max_length: 60}
  photo: {type: image, sensitive: true}
  backdrop: {type: image, sensitive: true}
  colour: {type: color, sensitive: true}
  amount: {type: number, sensitive: true}
  born: {type: date, sensitive: true}
  site: {type: url, sensitive: true}
  notes: {type: object, sensitive: true}
  tags: {type: array, sensitive: true}
  label: {type: text}
"""
HTML = """\
<html><body style="font-family: Inter; background: {{colour}} url({{backdrop}})">
<style>p { width: {{amount}}px; color: {{colour}} }</style>
<a href="{{site}}"><img src="{{photo}}">{{title}} {{born}} {{notes.deep}} {{tags}} {{label}}</a></body></html>
"""
MANIFEST = """\
version: 1
name: cards
template: card
rows: rows.json
key: "{{ id }}"
variables:
  title: "{{ title }}"
  photo: "{{ photo }}"
  backdrop: "{{ backdrop }}"
  colour: "{{ colour }}"
  amount: "{{ amount }}"
  born: "{{ born }}"
  site: "https://{{ user }}:{{ password }}@example.invalid/{{ id }}?token={{ token }}"
  notes: {deep: "{{ note }}"}
  tags: ["{{ tag }}"]
  label: "{{ id }}"
"""
COMMANDS = (
    ("validate",),
    ("validate", "--json"),
    ("validate", "--github"),
    ("plan", "--out", "plan.json", "--html", "plan.html", "--markdown", "plan.md", "--summary", "summary.md"),
    ("plan", "--json", "--full"),
    ("preview", "--html", "preview.html", "--markdown", "preview.md"),
    ("preview", "--json"),
    ("apply", "--yes", "--github", "--html", "apply.html", "--markdown", "apply.md", "--summary", "summary.md"),
    ("apply", "--yes", "--json"),
    ("refresh", "--html", "refresh.html", "--json"),
    ("status", "--failed"),
    ("status", "--failed", "--json"),
    ("show", "cards/a@default", "--html", "show.html"),
    ("show", "cards/refused@default", "--json"),
    ("explain", "cards/broken@default"),
    ("explain", "cards/refused@default", "--json"),
    ("history",),
    ("log",),
    ("state", "export"),
    ("doctor",),
)


class Hidden:
    """Rows with values that no other text holds."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._random = Random(seed)
        self.values: list[str] = []
        (folder / "manifests" / "pictures").mkdir()
        whole, broken = (f"pictures/{self.word()}.png" for _ in range(2))
        (folder / "manifests" / whole).write_bytes(PNG)
        (folder / "manifests" / broken).write_bytes(b"\x89PNG\r\n\x1a\n" + b"?" * 40)
        address = f"https://{self.word()}.invalid/{self.word()}/{self.word()}.png?q={self.word()}#{self.word()}"
        with_user = f"https://{self.word()}:{self.word()}@example.invalid/{self.word()}.png"
        self.rows = [
            self.row("a", photo=whole),
            self.row("refused", photo=address),
            self.row("user", photo=with_user, backdrop=with_user),
            self.row("backdrop", backdrop=address, colour=f"url({self.word()})"),
            self.row("missing", photo=f"{self.word()}/{self.word()}.png"),
            self.row("broken", photo=broken),
            self.row("scheme", photo=f"file:///{self.word()}", backdrop=f'"{self.word()}\\{self.word()}'),
        ]

    def word(self) -> str:
        """A new value: letters that also need escaping in an address, in html, in css and in JSON where `odd`."""
        made = "".join(self._random.choices("abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789", k=12))
        self.values.append(made)
        return made

    def odd(self) -> str:
        """A value with signs that every encoding writes differently."""
        return f"{self.word()} <&'\"\\ü%{{}}> {self.word()}"

    def row(self, name: str, **given: str) -> Mapping[str, object]:
        """A row that differs from others in everything."""
        amount = self._random.randrange(10**9, 10**10)
        self.values.append(str(amount))
        made: dict[str, object] = {"id": name, "title": self.odd(), "photo": "", "backdrop": "", "amount": amount}
        made |= {"colour": f"rgb({amount},0,0)", "born": f"{self.word()}", "user": self.word()}
        made |= {"password": self.word(), "token": self.odd(), "note": self.odd(), "tag": self.odd()}
        return {**made, **given}

    def forms(self) -> Iterator[bytes]:
        """Every value as it may have been written down."""
        for value in self.values:
            for one in (value, quote(value), html.escape(value), json.dumps(value)[1:-1]):
                yield one.lower().encode()
            yield value.encode().hex().encode()
            for before in (b"", b"x", b"xx"):
                yield base64.b64encode(before + value.encode())[4:-4].lower()


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def made(folder: Path, seed: int, settings: str = "") -> tuple[ProjectFolder, Hidden]:
    """A project with sensitive values."""
    project = ProjectFolder(folder, settings=settings)
    hidden = Hidden(seed, folder)
    project.write("manifests/card.yaml", SECRETS)
    project.write("manifests/card.html", HTML)
    project.write("manifests/cards.yaml", MANIFEST)
    project.write("manifests/rows.json", json.dumps(hidden.rows))
    (folder / "manifests/rows.csv").unlink()
    return project, hidden


def traces(project: ProjectFolder, hidden: Hidden, said: Mapping[str, str]) -> list[str]:
    """Where a value is found: in what commands said, and in every file but the manifests and the server's own."""
    places = {name: text.encode() for name, text in said.items()}
    for path in project.folder.rglob("*"):
        name = path.relative_to(project.folder)
        if path.is_file() and name.parts[0] not in ("manifests", "server"):
            places[str(name)] = path.read_bytes()
    forms = sorted(set(hidden.forms()))
    return [f"{place}: {one!r}" for place, data in places.items() for one in forms if one in data.lower()]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.full)])
def test_an_embedded_run_leaves_no_trace(tmp_path: Path, seed: int) -> None:
    """Pictures fail in every way that names their values, others are made; no file and no output holds a value."""
    project, hidden = made(tmp_path, seed)
    said: dict[str, str] = {}
    for command in COMMANDS:
        done = project.run(*command)
        assert "Traceback" not in done.stderr, done.stderr
        said[" ".join(command)] = done.stdout + done.stderr
    assert set(project.files()) == {"cards/a.default.png"}, said["apply --yes --json"]
    assert '"failed"' in said["state export"]
    assert traces(project, hidden, said) == []


def test_an_account_that_echoes_values_leaves_no_trace(tmp_path: Path) -> None:
    """What a service says of the values it was sent is cleaned before it is recorded or told."""
    project, hidden = made(tmp_path, 3, settings=SETTINGS)
    said: dict[str, str] = {}
    with served(project) as environ:
        for command in (("plan",), ("apply", "--yes"), ("status", "--failed", "--json"), ("log",), ("state", "export")):
            done = project.run(*command, environ=environ)
            assert "Traceback" not in done.stderr, done.stderr
            said[" ".join(command)] = done.stdout + done.stderr
    assert set(project.files()) == {"cards/a.default.png"}, said
    assert traces(project, hidden, said) == []
