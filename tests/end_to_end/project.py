"""A project folder with real manifests, and the real command run in it as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from pictify_sync.providers.pictify.server.app import read_meter

MANIFEST = """\
version: 1
name: cards
template: card
layouts: [default, square]
format: {format}
rows: rows.csv
key: "{{{{ id }}}}"
variables:
  title: "{{{{ title }}}}"
  colour: "{{{{ colour }}}}"
"""
TEMPLATE = """\
version: 1
kind: template
name: card
html: card.html
width: 120
height: 63
layouts:
  square: {width: 80, height: 80, name: Square}
  tall: {width: 60, height: 120}
variables:
  title: {type: text, required: true, max_length: 80}
  colour: {type: color, default: "#888888"}
"""
HTML = """\
<!doctype html>
<html><head><style>
body { margin: 0; display: flex; align-items: center; justify-content: center; font-family: Inter; font-size: 16px }
</style></head><body style="background: {{colour}}"><p>{{title}}</p></body></html>
"""
ROWS = "id,title,colour\n" + "".join(f"i{n},Title {n},#{n * 37 % 256:02x}{n * 91 % 256:02x}40\n" for n in range(4))


def with_one_worker(settings: str) -> str:
    """Settings whose embedded server draws in one process."""
    for start, one in (("local: {", "local: {workers: 1, "), ("providers: {", "providers: {local: {workers: 1}, ")):
        if start in settings:
            return settings.replace(start, one)
    return f"{settings}providers: {{local: {{workers: 1}}}}\n"


class ProjectFolder:
    """Where the command runs. `rows` and the manifest can be edited between runs."""

    def __init__(self, folder: Path, *, rows: str = ROWS, media: str = "png", settings: str = "") -> None:
        self.folder = folder
        self.manifests = folder / "manifests"
        self.manifests.mkdir(parents=True)
        self.write("pictify-sync.yaml", f"version: 1\n{with_one_worker(settings)}")
        self.write("manifests/cards.yaml", MANIFEST.format(format=media))
        self.write("manifests/card.yaml", TEMPLATE)
        self.write("manifests/card.html", HTML)
        self.write("manifests/rows.csv", rows)

    def write(self, name: str, text: str) -> None:
        """Write a file below the project folder."""
        (self.folder / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text that must be there."""
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def run(
        self, *arguments: str, environ: Mapping[str, str] | None = None, module: str = "pictify_sync"
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in the project folder, without a terminal."""
        process = self.start(*arguments, environ=environ, module=module)
        out, talk = process.communicate(timeout=400)
        return subprocess.CompletedProcess(process.args, process.returncode, out, talk)

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None, module: str = "pictify_sync"
    ) -> subprocess.Popen[str]:
        """Start the command in the project folder, without a terminal."""
        path = {"PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env={**os.environ, **path, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ok(self, *arguments: str) -> str:
        """Run the command, which must exit with 0; gives its stdout."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def meter(self) -> Counter[tuple[str, str]]:
        """(variables digest, layout) -> times the embedded server rendered it."""
        return Counter((row["variables"], row["layout"]) for row in read_meter(self.folder / ".pictify-sync/local"))

    def files(self) -> dict[str, bytes]:
        """Published files by path."""
        root = self.folder / "output"
        found = (path for path in root.rglob("*") if path.is_file())
        names = {path.relative_to(root): path for path in found}
        hidden = {name for name in names if any(part.startswith(".") for part in name.parts)}
        return {str(name): path.read_bytes() for name, path in names.items() if name not in hidden}

    def size(self, name: str) -> tuple[str | None, tuple[int, int]]:
        """Format and size of a published picture, as Pillow decodes it."""
        with Image.open(self.folder / "output" / name) as image:
            image.load()
            return image.format, image.size
