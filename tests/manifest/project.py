"""A small project of manifests in a folder, to be read as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.errors import InputError
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.desired import Manifests, read_manifests
from tests.manifest.fakes import OFFLINE

TEMPLATE = """version: 1
kind: template
html: card.html
width: 1200
height: 630
layouts:
  square: {width: 1080, height: 1080, name: Square}
variables:
  title: {type: text}
  photo: {type: image, default: ""}
  email: {type: text, sensitive: true, default: ""}
"""


ASSETS = """version: 1
template: card
layouts: [default, square]
format: webp
rows: rows.jsonl
key: "{{ id }}"
variables:
  title: "{{ title }}"
  photo: "{{ photo | default('') }}"
  email: "{{ email | default('') }}"
output: "out/{{ key }}.{{ layout }}.{{ format }}"
"""


class Project:
    """A folder of manifests that a test edits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context = ReadContext(
            project=folder,
            root=folder / "manifests",
            engine=lambda _, families: f"takumi {','.join(families)}",
            **OFFLINE,
            sensitive_key=b"k" * 32,
            cwd=folder,
        )
        self.write("manifests/card.yaml", TEMPLATE)
        self.write("manifests/card.html", "<b>{{title}}</b>{{email}}<img src='{{photo}}'>")
        self.write("manifests/a.yaml", ASSETS)
        self.rows({"id": "b", "title": "B"}, {"id": "a", "title": "A"})

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        path = self.folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def rows(self, *rows: Mapping[str, object]) -> None:
        self.write("manifests/rows.jsonl", "\n".join(map(json.dumps, rows)))

    def read(self, *paths: str, **changes: object) -> Manifests:
        context = replace(self.context, **changes)  # type: ignore[arg-type]
        return read_manifests([self.folder / path for path in paths], context)

    def fails(self, *paths: str, **changes: object) -> str:
        with pytest.raises(InputError) as caught:
            self.read(*paths, **changes)
        return str(caught.value)
