"""Keys of the vendor, and whatever secret was configured, stand in no text that is written; digests stay."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from pictify_sync.credentials import HIDDEN, hide, hide_variable, without_keys
from pictify_sync.providers.registry import find
from pictify_sync.providers.transport.http import Http
from pictify_sync.report.safe import safe

HEX = "0123456789abcdef" * 4
NEW = f"pic_live_{HEX}"
KEYS = [NEW, f"pic_test_{HEX}", "pk_live_4eC39HqLyjWDarjtT1zdp7dc", "pk_test_12345678", NEW.upper()]
PLACES = [
    "{}", "Bearer {}", "bearer%20{}", "Authorization: Bearer {}", "key={}", '{{"apiKey": "{}"}}', "x{}", "'{}'",
    "https://api.example/?token={}", "https://{}@api.example/x", "https://user:{}@api.example/x",
    "repr(SecretStr('{}'))",
]  # fmt: skip


@pytest.fixture(autouse=True)
def known() -> None:
    """Whatever reads settings has found the provider, which hands in its variables and the form of its keys."""
    find("pictify")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_known_by_its_form_wherever_it_stands(key: str, place: str) -> None:
    """With or without the word Bearer before it, in errors of a provider, on a terminal, and in what we print."""
    http = Http(
        "https://api.example", SecretStr("another-key"), transport=httpx.MockTransport(lambda _: httpx.Response(200))
    )
    text = place.format(key)
    for cleaned in (http.clean(text), without_keys(text), hide(text, {}), safe(text)):
        assert key not in cleaned
        assert key[9:] not in cleaned
    http.close()


@pytest.mark.parametrize(
    "place", ["Bearer {}", "Authorization: {}", "key={}", 'api_key: "{}"', "X-Api-Key: {}", "API key {}"]
)
def test_bare_hex_is_a_key_where_it_stands_as_one(place: str) -> None:
    """The form of keys before September 2026."""
    assert HEX not in without_keys(place.format(HEX))


@pytest.mark.parametrize(
    "place", ["{}", "sha256 {}", "the plan {}", "pictures/{}.png", '{{"sha256": "{}"}}', "sha256:{}"]
)
def test_digests_are_left_alone(place: str) -> None:
    """A sha256 in a report has as many hex digits as a key."""
    text = place.format(HEX)
    assert hide(text, {"PICTIFY_API_KEY": NEW.replace("0", "1")}) == safe(text) == text


SECRET = 'my s3cret/"key"+ü'
ENVIRON = {
    "PICTIFY_API_KEY": SECRET,
    "PICTIFY_SERVE_TOKENS": "first-token second-token",
    "HTTPS_PROXY": "http://me:pass%2Fword1@proxy.example:3128",
}


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"id {SECRET}".encode()).decode(),
        "second-token",
        "http://me:pass%2Fword1@proxy.example:3128",
        "pass/word1",
    ],
)
def test_what_is_configured_is_hidden_in_every_form(text: str) -> None:
    """The key of a server of one's own has no known form; nor have tokens and passwords of proxies."""
    hidden = hide(f"before {text} after", ENVIRON)
    assert "***" in hidden
    assert not [part for part in ("s3cret", "token", "word1", text) if part in hidden]


def test_a_trace_shows_no_key(tmp_path: Path) -> None:
    """An error that nobody foresaw is printed with its trace, and without the key in its message."""
    code = "import sys; from pictify_sync.__main__ import show_trace; sys.excepthook = show_trace; "
    raises = f"raise RuntimeError('{NEW} and my-own-key-of-old')"
    environ = {"PICTIFY_API_KEY": "my-own-key-of-old", "PYTHONPATH": str(Path(__file__).parents[2])}
    called = [sys.executable, "-c", code + raises]
    done = subprocess.run(called, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "RuntimeError: *** and ***" in done.stderr
    assert HEX not in done.stderr


def test_the_key_of_every_registered_provider_is_hidden() -> None:
    """Once a provider is known, what its variable of the environment holds is in no text."""
    hide_variable("OTHER_PROVIDER_KEY")
    for variable in ("PICTIFY_API_KEY", "OTHER_PROVIDER_KEY"):
        assert hide("it was plain-and-unmarked", {variable: "plain-and-unmarked"}) == f"it was {HIDDEN}"
