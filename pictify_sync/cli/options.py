"""Arguments and options that several commands share, and the project that they run in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pictify_sync.wiring import Choice, Project

Command = TypeVar("Command", bound=Callable[..., Any])


def with_options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Apply decorators so that help lists them in the order given."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


paths_argument = click.argument("paths", nargs=-1, metavar="[PATH]...")
json_option = click.option("--json", "as_json", is_flag=True, help="Print a versioned JSON document.")
select_option = click.option("--select", multiple=True, metavar="PATTERN", help="Only keys that match (repeatable).")
exclude_option = click.option("--exclude", multiple=True, metavar="PATTERN", help="No keys that match (repeatable).")
replace_option = click.option("--replace", multiple=True, metavar="PATTERN", help="Render matching keys again.")
choice_options = with_options(select_option, exclude_option, replace_option)
pass_settings = click.pass_obj


@contextmanager
def project_of(settings: str | None) -> Iterator[Project]:
    """The project that a command runs in, closed at the end."""
    from pictify_sync.wiring import open_project

    project = open_project(Path(settings) if settings else None, os.environ)
    try:
        yield project
    finally:
        project.close()


def choice_of(select: tuple[str, ...], exclude: tuple[str, ...], replace: tuple[str, ...]) -> Choice:
    """Bind the patterns of a command line."""
    from pictify_sync.wiring import Choice

    return Choice(select, exclude, replace)
