"""Object storage that is down, refuses access or has no such bucket: an error in words of ours, never "missing"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pictify_sync.artifacts.bucket import connect
from pictify_sync.artifacts.objects import ObjectArtifacts
from pictify_sync.core.entries import Obsolete
from pictify_sync.core.model import Artifact
from pictify_sync.errors import StorageUnavailable
from tests.artifacts.conformance import move
from tests.artifacts.samples import expected, picture, sha
from tests.artifacts.service import KEYS, ask, failing, serving, strict

if TYPE_CHECKING:
    from obstore.store import RetryConfig

ONCE: RetryConfig = {"max_retries": 1, "retry_timeout": timedelta(seconds=5)}
ARTIFACT = Artifact("a.png", sha(picture()), len(picture()))
CALLS: dict[str, Callable[[ObjectArtifacts], object]] = {
    "reach": lambda store: store.reach(),
    "check": lambda store: store.check(ARTIFACT),
    "remove": lambda store: store.remove(Obsolete(ARTIFACT.path, ARTIFACT.sha256)),
    "move": lambda store: store.move([move(picture(), "a.png", "b.png")], lambda _: False),
    "publish": lambda store: store.publish(store.stage([picture()], expected()), ["a.png"]),
    "read": lambda store: store.read(ARTIFACT),
    "sweep": lambda store: store.sweep(),
}


@contextmanager
def down() -> Iterator[str]:
    """A service that was there and is not any more."""
    with serving() as url:
        pass
    yield url


@contextmanager
def with_wrong_keys() -> Iterator[str]:
    """A service that knows other keys than ours."""
    with serving() as url, strict(url):
        yield url


SERVICES: dict[str, tuple[Callable[[], AbstractContextManager[str]], str, str]] = {
    "down": (down, "s3://pictures/p", "cannot be reached: no connection"),
    "no name": (lambda: nullcontext("http://storage.invalid"), "s3://pictures/p", "cannot be reached"),
    "wrong keys": (with_wrong_keys, "s3://pictures/p", r"refuses access \((403|InvalidAccessKeyId)\)"),
    "no bucket": (serving, "s3://no-such-bucket/p", "s3://no-such-bucket does not exist"),
    "errors": (lambda: failing(500), "s3://pictures/p", "it answers 500"),
    "busy": (lambda: failing(503, b"<Error><Code>SlowDown</Code></Error>"), "s3://pictures/p", "it answers 503"),
    "forbidden": (lambda: failing(403, b""), "s3://pictures/p", "refuses access"),
    "a proxy": (lambda: failing(502, b"<html>Bad Gateway"), "s3://pictures/p", "it answers 502"),
    "elsewhere": (lambda: failing(301, b""), "s3://pictures/p", "region|cannot be reached"),
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_said_of_what_cannot_be_seen(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call ends with an error that says what is wrong and what to do, and holds no key and no signature."""
    service, place, words = SERVICES[name]
    with service() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        for call in CALLS.values():
            store = ObjectArtifacts(connect(place, ONCE), tmp_path / "staging")
            with pytest.raises(StorageUnavailable, match=words) as caught:
                call(store)
            error = caught.value
            assert error.hint
            assert error.exit_code == 1
            assert error.__suppress_context__
            said = f"{error.message} {error.hint}"
            assert not [value for value in (*KEYS.values(), endpoint) if value in said and len(value) > 10]
            store.close()


def test_what_could_not_be_published_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staged bytes outlive a failure of the service: publishing again goes on with them."""
    with serving() as endpoint:
        port = int(endpoint.rpartition(":")[2])
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    store = ObjectArtifacts(connect("s3://pictures/again", ONCE), tmp_path / "staging")
    staged = store.stage([picture()], expected())
    with pytest.raises(StorageUnavailable):
        store.publish(staged, ["a.png"])
    with serving(port):
        assert store.publish(staged, ["a.png"]) == (ARTIFACT,)
        assert store.check(ARTIFACT) == "present"


def test_a_bucket_that_vanishes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever an object is missing, the bucket itself is looked for."""
    with serving() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        ask(f"{endpoint}/fleeting", "PUT")
        store = ObjectArtifacts(connect("s3://fleeting", ONCE), tmp_path / "staging")
        assert store.check(ARTIFACT) == "missing"
        ask(f"{endpoint}/fleeting", "DELETE")
        with pytest.raises(StorageUnavailable, match="does not exist"):
            store.check(ARTIFACT)


@pytest.mark.parametrize(("url", "words"), [("az://pictures/p", "there are no credentials for az://pictures")])
def test_credentials_are_asked_for_by_name(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names no account, the hint names the variables."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StorageUnavailable, match=words) as caught:
        connect(url, ONCE)
    assert "AZURE_STORAGE_ACCOUNT_NAME" in caught.value.hint
