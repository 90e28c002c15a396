"""What docs/style.md says of names and texts, as far as a machine can see it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pictify_sync.cli.root import group

PACKAGE = Path(__file__).parents[2] / "pictify_sync"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Images and participles that classes had, and what they are called instead.
IMAGES = {
    "Album": "PageImages", "Apron": "BatchDriver", "Backstage": "ServerContext", "Books": "Ledger",
    "Courier": "WebhookSender", "Diary": "EventRecorder", "Easel": "PreviewEngine", "Flight": "OpenAttempt",
    "Flying": "OpenAttempt", "Needs": "Requirements", "Pulse": "Progress", "Said": "Operation", "Shelf": "ImageCache",
    "Stopper": "StopSignal", "Studio": "PreviewContext", "Told": "RateHints", "Wish": "ApplyOptions",
}  # fmt: skip
ORDERS = ("Give ", "Gives ", "Tell ", "Tells ", "Say ", "Says ")  # where Return, Yield or Raise is meant
PLAIN = ("rendering", "providers/pictify/server", "artifacts", "manifest", "state")  # packages that keep to it already

OLD = re.compile(r"\bdo not ask\.|\b(nobody|whoever|anew|mend)\b|\bneither desired nor|take a taint back", re.I)


def commands(command: click.Command, path: str = "pictify-sync") -> Iterator[tuple[str, click.Command]]:
    """Every command below one, with how it is called."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


def test_no_class_is_named_by_an_image() -> None:
    """A class says in the field's words what it is."""
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.lstrip("_") in IMAGES:
                better = IMAGES[node.name.lstrip("_")]
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.name}; write {better}, or what it is")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", PLAIN)
def test_docstrings_say_what_a_function_does(folder: str) -> None:
    """A function returns, yields or raises; it does not give, tell or say."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.name}; begin with Return, Yield or Raise"
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (ast.get_docstring(node) or "").startswith(ORDERS)
    ]
    assert not found, "\n".join(found)


def test_help_is_plain() -> None:
    """Help says what happens, in sentences that need no second reading."""
    found = []
    for called, command in commands(group):
        texts = [command.help or "", *(getattr(one, "help", None) or "" for one in command.params)]
        found += [f"{called} --help: {one}" for one in texts if OLD.search(one)]
    assert not found, "\n".join(found)
