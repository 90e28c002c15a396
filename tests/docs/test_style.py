"""What docs/style.md says of names and texts, as far as a machine can see it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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
