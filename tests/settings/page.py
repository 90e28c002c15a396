"""The reference page of the settings, written from the models themselves: `python -m tests.settings.page` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pictify_sync.providers.limits import Limits
from pictify_sync.providers.registry import parts
from pictify_sync.settings import Guard, InDoubt, fields_model

PAGE = Path(__file__).parents[2] / "docs/reference/settings.md"

INTRODUCTION = """\
# Settings

This page is generated from the models that check the settings. `pictify-sync schema settings` prints them as a JSON
Schema for editors.

Settings are read from the nearest `pictify-sync.yaml`, or from the file that `--settings FILE` (before the command)
names, which then decides alone; without a file every field has its default. Paths in it are relative to the folder of
that file, which is the project folder: no manifest may name a file outside it. All problems are reported at once, as
`file:line:column: what; how to fix`. What is set here may not be set in a manifest, so a change of a manifest
cannot choose hosts, folders or limits.

## Which file is found

A command that is given paths looks from each of them upwards, any other from the working directory:

- as far as the root of the Git repository (where `.git` is, a folder or a file), and never into another file system;
- without a repository as long as the folders are yours, up to but without your home folder and any folder that
  everybody may write to, such as `/tmp`;
- never into a folder of another user (under `sudo` those of the caller count as yours, as for Git). Where settings of
  the repository lie beyond one, the command ends with an error instead of beginning a second project.

Where no settings are found, the nearest folder upwards with a `.pictify-sync` in it is the project. A project elsewhere
than in the working directory is named on stderr (`Project: ...`), and its settings, state and guard count. Paths of two
projects in one run are refused, and so is what a folder, a pattern or a link leads to in a folder below that has a
`pictify-sync.yaml` of its own. On a proposal the GitHub action takes the base's version of every file that
could be found.

## Environment

| variable | meaning |
|---|---|
| `PICTIFY_API_KEY` | Key of a Pictify account. It is never written down, and is sent to the vendor's host alone. |
| `PICTIFY_BASE_URL` | Another host to talk to; the only other one that is sent the key. |
| `PICTIFY_WEBHOOK_SECRET` | Secret that webhooks are signed with; several between commas, while one is replaced. |
| `PICTIFY_INBOX_TOKEN` | Who may read the inbox of a webhook receiver, and remove deliveries that were collected. |
| `PICTIFY_STATE_KEY` | Hides sensitive values in a state on a Git ref: 32 characters or more, the same for all. |
| `PICTIFY_SYNC_<FIELD>` | Overrides a field of the file: `PICTIFY_SYNC_OUTPUT`, `PICTIFY_SYNC_GUARD__MAX_RENDERS`. |
| `NO_COLOR` | Set to anything: no colours. |

Values are read as in YAML; the items of a list stand between commas. Secrets are read from the environment only.
"""

KNOWN = parts(())
SECTIONS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("The settings file", "", fields_model(KNOWN)),
    ("`guard`", "", Guard),
    ("`in_doubt`", "", InDoubt),
    (
        "`providers.<name>`",
        "For every provider. An absent value is what the account's plan documents, else what the provider documents.",
        Limits,
    ),
    *((f"`providers.{name}`", "", part.settings()) for name, part in KNOWN.items()),
)


def page() -> str:
    """Give the page as Markdown."""
    return "\n".join([INTRODUCTION, *(section(*one) for one in SECTIONS)])


def section(title: str, words: str, model: type[BaseModel]) -> str:
    """Give one model as a table."""
    lines = [
        f"## {title}",
        "",
        words or str(model.__doc__),
        "",
        "| field | type | default | meaning |",
        "|---|---|---|---|",
    ]
    common = Limits.model_fields if model is not Limits and issubclass(model, Limits) else {}
    for name, field in model.model_json_schema()["properties"].items():
        if name in common:
            continue
        cells = (f"`{name}`", kind(field), default(field), field.get("description", ""))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def default(field: dict[str, Any]) -> str:
    """Give the default as YAML writes it; a dash where there is none."""
    value = field.get("default")
    if isinstance(value, dict) and value:
        return "below"
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    words = {None: "-", True: "`true`", False: "`false`"}
    return words[value] if value is None or isinstance(value, bool) else f"`{value}`"


def kind(field: dict[str, Any]) -> str:
    """Name a type and its bounds as people do."""
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if "anyOf" in field:
        return " or ".join(kind(one) for one in field["anyOf"] if one.get("type") != "null")
    if "$ref" in field:
        return "mapping (below)"
    if field["type"] == "array":
        items = field["items"]
        return f"list of {kind(items)}" if "enum" in items else f"list of {kind(items)}s"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping (below)"}
    words = str(names.get(field["type"], field["type"]))
    for bound, word in {"minimum": "from", "exclusiveMinimum": "over", "maximum": "to"}.items():
        words += f" {word} {field[bound]:g}" if bound in field else ""
    return words


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
