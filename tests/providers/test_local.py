"""The provider `local`, over the embedded server with a fake engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pictify_sync.core.outcomes import InDoubt
from pictify_sync.core.ports import Provider
from pictify_sync.providers.local.connect import over
from pictify_sync.providers.pictify.server.app import Options, read_meter
from tests.providers.conformance import ProviderConformance, accepted, finish, request, template
from tests.providers.connecting import connection
from tests.providers.pictify.server.fake_engine import FakeRenderer


def opened(folder: Path) -> Provider:
    """The provider over a folder."""
    return over(connection("local", folder=str(folder), workers=2, render_timeout=5.0), Options(FakeRenderer))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it keeps everything."""
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def provider(folder: Path) -> Iterator[Provider]:
    """One provider for the module."""
    made = opened(folder)
    yield made
    made.close()


@pytest.fixture
def renders(folder: Path) -> Callable[[], int]:
    """How many pictures were made so far."""
    return lambda: len(read_meter(folder))


class TestLocal(ProviderConformance):
    """The whole suite."""

    def test_a_key_of_another_batch_is_in_doubt(self, provider: Provider, uid: str) -> None:
        """The key of one batch with the body of another is neither accepted nor refused."""
        accepted(provider, request(uid, [{"name": "a"}], key="taken"))
        assert isinstance(provider.submit(request(uid, [{"name": "b"}], key="taken")), InDoubt)


def test_a_batch_goes_on_after_closing(tmp_path: Path) -> None:
    """What was open when the provider was closed is finished by the next one on the folder, each picture once."""
    first = opened(tmp_path)
    uid = first.push_template(template(), None)
    wanted = request(uid, [{"name": f"{n}", "seconds": 0.03} for n in range(60)])
    batch = accepted(first, wanted)
    first.close()
    assert not list((tmp_path / "runs").iterdir())
    second = opened(tmp_path)
    try:
        assert accepted(second, wanted) == batch
        assert len(finish(second, batch, wanted).outcomes) == 60
    finally:
        second.close()
    places = [(one["position"], one["layout"]) for one in read_meter(tmp_path)]
    assert sorted(places) == [(n, "default") for n in range(60)]


def test_closing_twice_and_at_once(tmp_path: Path) -> None:
    """A provider that did nothing is closed without a trace of a process, and closing again does nothing."""
    made = opened(tmp_path)
    made.close()
    made.close()
    assert not list((tmp_path / "runs").iterdir())
