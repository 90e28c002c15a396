"""Providers by name, and what knowing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import SecretStr, ValidationError

from pictify_sync.errors import AuthenticationFailed, UsageError
from pictify_sync.providers.registry import find
from tests.providers.connecting import allowed, connection

HEAVY = (
    "httpx",
    "werkzeug",
    "pytakumi",
    "pebble",
    "tenacity",
    "PIL",
    "pictify_sync.providers.pictify.server.app",
)


def test_capabilities_cost_nothing() -> None:
    """Capabilities are known without a client, a server or an engine; who the providers are, without models too."""
    program = f"""
import sys
from pictify_sync.providers.registry import capabilities, find
specs = [find(name) for name in ("local", "pictify")]
print(sorted({{"pydantic", "importlib.metadata"}} & set(sys.modules)))
for spec in specs:
    capabilities(spec, spec.settings()(), {{}})
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["[]", "[]"]


def test_limits_change_capabilities() -> None:
    """The settings' limits stand over what a provider declares; a name that is none is told."""
    found = allowed("local", max_items=7)
    assert (found.max_items, found.max_open, found.honours_idempotency_key) == (7, 4, True)
    with pytest.raises(ValidationError, match="max_itmes"):
        allowed("local", max_itmes=7)


def test_an_unknown_provider_is_told() -> None:
    """A name that nobody registered names the known ones."""
    with pytest.raises(UsageError) as caught:
        find("locla")
    assert "local, pictify" in caught.value.hint


@pytest.mark.parametrize("key", [None, SecretStr("")])
def test_the_account_needs_a_key(key: SecretStr | None) -> None:
    """Without a key there is no account."""
    with pytest.raises(AuthenticationFailed):
        find("pictify").connect(connection("pictify", key=key))


def test_the_key_never_travels_in_clear() -> None:
    """A base URL of plain http is refused unless it is loopback."""
    for url in ("http://api.example", "ftp://localhost", "api.example"):
        with pytest.raises(UsageError):
            find("pictify").connect(connection("pictify", key=SecretStr("k"), base_url=url))
    for url in ("http://127.0.0.1:8000/prefix", "https://api.example"):
        find("pictify").connect(connection("pictify", key=SecretStr("k"), base_url=url)).close()


@pytest.mark.parametrize(
    ("plan", "expected"),
    [("free", (10, 1, 60)), ("pro", (100, 3, 300)), ("business", (100, 10, 1000)), ("enterprise", (100, None, None))],
)
def test_plans_are_limits(plan: str, expected: tuple[int, int | None, int | None]) -> None:
    """Items in a batch (the schema's 100 at most), open batches and requests a minute follow from the plan."""
    found = allowed("pictify", plan=plan)
    assert (found.max_items, found.max_open, found.requests_per_minute) == expected


def test_settings_stand_over_the_plan() -> None:
    """What the settings say raises or lowers what the plan allows; an unknown plan is told."""
    found = allowed("pictify", plan="business", max_items=1000, max_open=2)
    assert (found.max_items, found.max_open, found.requests_per_minute) == (1000, 2, 1000)
    with pytest.raises(ValidationError, match="business"):
        allowed("pictify", plan="gold")
