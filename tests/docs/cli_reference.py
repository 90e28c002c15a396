"""The page `docs/reference/cli.md`, made from the commands themselves: python -m tests.docs.cli_reference."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from pictify_sync.cli.root import group
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/reference/cli.md"
CONTEXT = click.Context(group, info_name="pictify-sync")
HEAD = """\
# Command line

This page is generated from the commands. `pictify-sync COMMAND --help` shows the same.

What a command was asked for goes to stdout, everything it says besides to stderr. `--json` prints a versioned
[document](json.md). Colours appear on a terminal, unless `NO_COLOR` is set.

| exit code | meaning |
|---|---|
| 0 | done, or no changes |
| 1 | error: bad input, a refused plan, a wanted picture that was not made |
| 2 | changes pending or pictures waiting (`plan`, `apply --detailed-exitcode`), or drift (`refresh --check`) |

`--settings FILE` before the command takes other settings than `pictify-sync.yaml` of the working directory.
`PICTIFY_SYNC_<FIELD>` in the environment overrides a field of the settings. A PATH is a manifest, a folder or a glob. A
PATTERN is a shell pattern for keys, as `country-cards/*@square`; a bare manifest or item means all below it.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sections(group, CONTEXT)])


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its path, groups left out."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(CONTEXT):
        found = command.get_command(CONTEXT, name)
        assert found is not None
        yield from walk(found, (*path, name))


def _sections(command: click.Group, context: click.Context) -> Iterator[str]:
    for path, found in walk(command):
        own = click.Context(found, info_name=" ".join(path), parent=context)
        yield f"## `{' '.join(path)}`\n"
        yield f"```console\n$ {' '.join(own.command_path.split())} {' '.join(found.collect_usage_pieces(own))}\n```\n"
        yield _text(found.help or "") + "\n"
        options = [param for param in found.params if isinstance(param, click.Option) and not param.hidden]
        if options:
            yield "| option | meaning |\n|---|---|"
            yield from map(_row, (option.get_help_record(own) for option in options))
            yield ""


def _row(record: tuple[str, str] | None) -> str:
    assert record is not None
    name, meaning = (text.replace("|", "\\|") for text in record)
    return f"| `{name}` | {meaning} |"


def _text(text: str) -> str:
    """Help as markdown: what was wrapped for a terminal, joined; patterns between quotes as code."""
    paragraphs = inspect.cleandoc(text).replace("\b\n", "").split("\n\n")
    joined = (" ".join(paragraph.split()) for paragraph in paragraphs)
    return "\n\n".join(re.sub(r"(?<!\w)'([^' ][^']*)'", r"`\1`", paragraph) for paragraph in joined)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
