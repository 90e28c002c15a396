"""Help of every command, and the page of the JSON documents, which `python -m tests.cli.test_reference` writes."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click
import pytest

from pictify_sync.cli.root import COMMANDS, group
from pictify_sync.cli.schema import KINDS
from pictify_sync.report.json.documents import DOCUMENTS
from pictify_sync.report.json.reference import reference

PAGE = Path(__file__).parents[2] / "docs/reference/json.md"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its path."""
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", below) for inner, below in command.commands.items())


def test_the_page_is_current() -> None:
    """What stands in docs is exactly what the classes give."""
    assert PAGE.read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[path for path, _ in commands()])
def test_every_command_and_option_has_help(path: str, command: click.Command) -> None:
    """A command has a sentence of its own, every option a meaning."""
    assert command.help
    assert cleandoc(command.help).split("\n\n")[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, (path, parameter.name)
            assert parameter.help.endswith("."), (path, parameter.name)


def test_the_list_of_commands_and_the_commands_agree() -> None:
    """Help lists commands without loading them, so that both must carry the same name and no command is missing."""
    assert {path.split()[0] for path, _ in commands()} == set(COMMANDS)
    for path, command in commands():
        assert command.name == path.split()[-1]


def test_every_document_has_a_schema() -> None:
    """`schema KIND` knows every kind that a command prints."""
    assert set(DOCUMENTS) < set(KINDS)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
