"""`init`: a first project."""

from __future__ import annotations

import os
from pathlib import Path

import click

SETTINGS = """\
version: 1
# provider: local        # renders on this machine, no account needed
# output: output         # where pictures are published
# providers:
#   local: {workers: 2}  # processes that draw; one per core unless you say so
"""
MANIFEST = """\
version: 1
name: hello-cards
template: hello-card
layouts: [default, square]
format: png
rows:
  - {id: earth, title: Earth, note: "the blue one"}
  - {id: mars, title: Mars, note: "the red one"}
key: "{{ id }}"
variables:
  title: "{{ title }}"
  note: "{{ note }}"
"""
TEMPLATE = """\
version: 1
kind: template
name: hello-card
html: hello-card.html
width: 1200
height: 630
layouts:
  square: {width: 1080, height: 1080, name: Square}
variables:
  title: {type: text, required: true, max_length: 60}
  note: {type: text, default: ""}
"""
HTML = """\
<!doctype html>
<html>
<head>
<style>
  body { margin: 0; display: flex; flex-direction: column; justify-content: center; padding: 80px;
         box-sizing: border-box; font-family: Inter; color: #f8fafc;
         background: linear-gradient(135deg, #0f172a, #1d4ed8); }
  h1 { margin: 0; font-size: 120px; letter-spacing: -4px; }
  p { margin: 24px 0 0; font-size: 44px; color: #bfdbfe; }
</style>
</head>
<body>
  <h1>{{title}}</h1>
  {{#if note}}<p>{{note}}</p>{{/if}}
</body>
</html>
"""
IGNORED = (".pictify-sync/", "output/")
FILES = {
    "pictify-sync.yaml": SETTINGS,
    "manifests/hello-cards.yaml": MANIFEST,
    "manifests/templates/hello-card.yaml": TEMPLATE,
    "manifests/templates/hello-card.html": HTML,
}


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False), default="")
def init_command(folder: str) -> None:
    """Write a first manifest, template and settings file to FOLDER [.]. Overwrites nothing."""
    from pictify_sync.errors import UsageError
    from pictify_sync.report.safe import for_shell

    _refuse_inside(folder)
    folder = folder or "."
    root = Path(folder)
    there = [name for name in FILES if (root / name).exists()]
    if there:
        raise UsageError(f"{there[0]} exists already; nothing was written", hint="choose another folder")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {name}", err=True)
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text("".join(f"{line}\n" for line in IGNORED), encoding="utf-8")
        click.echo("wrote .gitignore", err=True)
    elif missing := _not_ignored(ignore):
        click.echo(f"Add to .gitignore, which exists already: {' and '.join(missing)}", err=True)
    enter = "" if root.resolve() == Path.cwd() else f"cd {for_shell(folder)}, then "
    click.echo(f"Next: {enter}pictify-sync plan, then pictify-sync apply", err=True)


def _refuse_inside(folder: str) -> None:
    """Refuse to begin a second project inside another by accident; a FOLDER that is named is no accident."""
    from pictify_sync.errors import UsageError
    from pictify_sync.wiring import find_place

    there = (Path.cwd() / folder).resolve()
    nearest = next(one for one in (there, *there.parents) if one.is_dir())
    place = find_place((), nearest, os.environ)
    if place.folder == there or (place.folder == nearest and place.file is None):
        return
    if not folder:
        hint = "name the folder to begin another project in it: pictify-sync init ."
        raise UsageError(f"this folder belongs to the project in {place.folder}; nothing was written", hint=hint)
    click.echo(f"This will be a project of its own inside that in {place.folder}", err=True)


def _not_ignored(file: Path) -> list[str]:
    """Return the lines that a .gitignore lacks."""
    there = {line.strip().strip("/") for line in file.read_text(encoding="utf-8", errors="replace").splitlines()}
    return [line for line in IGNORED if line.strip("/") not in there]
