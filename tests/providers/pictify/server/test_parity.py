"""The parity page says what is so: its rows are the routes, and its checks are methods that the tests drive."""

from __future__ import annotations

import re
from pathlib import Path

import pictify
import pytest

from pictify_sync.providers.pictify.server.faults import KINDS
from pictify_sync.providers.pictify.server.options import CHOICES
from pictify_sync.providers.pictify.server.routes.table import BY_OPERATION

ROOT = Path(__file__).parents[4]
ROW = re.compile(r"\| `(\w+)` \| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
DRIVEN = (ROOT / "tests/vendor/test_client.py").read_text()
METHODS = {name for name in vars(pictify.Pictify) if not name.startswith("_") and name.islower()} - {"close"}


def rows() -> dict[str, tuple[str, ...]]:
    """The page's table: operation -> call, documented, emulated, checked."""
    text = (ROOT / "docs/reference/parity.md").read_text()
    return {found[1]: found.groups()[1:] for found in ROW.finditer(text)}


def test_every_route_has_its_row() -> None:
    """A route that is not in the table, or a row that claims a route we lack, fails."""
    claimed = {operation: row[0] for operation, row in rows().items() if row[2].strip() != "no"}
    paths = {one.operation: re.sub(r"<(.*?)>", r"{\1}", one.path) for one in BY_OPERATION.values()}
    served = {name: f"{BY_OPERATION[name].method} {path}" for name, path in paths.items()}
    assert claimed == served


def test_checks_are_methods_that_tests_drive() -> None:
    """What the table calls checked is a method of the vendor's client, and a test calls it."""
    checked = {name for row in rows().values() for name in re.findall(r"`(render\w*|\w+_\w+)`", row[3])}
    assert checked <= METHODS
    driven = {name for name in METHODS if f'"{name}"' in DRIVEN}
    assert checked - {"render_video"} == driven


def test_what_the_client_offers_is_driven_or_video() -> None:
    """Each public method of the vendor's client is driven, but for videos."""
    left = {name for name in METHODS if f'"{name}"' not in DRIVEN}
    assert all("video" in name for name in left), left


@pytest.mark.parametrize("page", ["docs/how-to/self-host-the-server.md"])
def test_the_guide_names_every_fault_and_word(page: str) -> None:
    """Faults and words of options are those of the code."""
    text = (ROOT / page).read_text()
    for name in KINDS:
        assert f"`{name}" in text, name
    for word in CHOICES["dialect"] | CHOICES["errors"] | CHOICES["rate_headers"]:
        assert f"`{word}`" in text, word
