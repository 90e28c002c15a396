"""A service that tells no URLs but by webhook: the shipped manifests end with the files of the embedded provider."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.shipped import BY_WEBHOOK, FEW, Shipped

SIZES = [pytest.param(FEW, id="few"), pytest.param((), id="all", marks=pytest.mark.full)]


@pytest.fixture(scope="module", params=SIZES)
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """What the embedded provider makes of the shipped manifests."""
    project = Shipped(tmp_path_factory.mktemp("local"), select=request.param)
    project.apply()
    return project


def remote(folder: Path, local: Shipped) -> Shipped:
    """The same manifests for an account."""
    project = Shipped(folder, settings=BY_WEBHOOK)
    project.select = local.select
    return project


def advance(environ: Mapping[str, str], seconds: float) -> None:
    """Move the server's clock."""
    key = {"Authorization": f"Bearer {environ['PICTIFY_API_KEY']}"}
    url = f"{environ['PICTIFY_BASE_URL']}/emulator/clock"
    httpx.post(url, json={"advance": seconds}, headers=key).raise_for_status()


def check(project: Shipped, local: Shipped, environ: Mapping[str, str]) -> None:
    """The same files, each rendered once, and nothing left to do."""
    assert project.files() == local.files()
    assert set(project.rendered().values()) == {1}
    left = project.run("plan", "--detailed-exitcode", *project.select, environ=environ)
    assert left.returncode == 0, left.stdout


def test_urls_by_webhook_alone(tmp_path: Path, local: Shipped) -> None:
    """Deliveries that come in any order and several times, read over HTTP: collect publishes every picture once."""
    project = remote(tmp_path, local)
    with project.served("--dialect", "names", "--fault", "repeat-webhooks=2", "--fault", "reorder-webhooks") as environ:
        port, secret = project.subscribed(environ)
        with project.receiving(environ, port, secret) as inbox:
            project.apply(environ)
            project.delivered(len(project.rendered()))
            for _ in range(2):
                project.collect(environ, inbox)
        check(project, local, environ)


def test_deliveries_that_are_late_or_lost(tmp_path: Path, local: Shipped) -> None:
    """What no delivery told is recorded, and rendered no second time: a later delivery, or a look-up, finishes it."""
    project = remote(tmp_path, local)
    lost = ("--fault", "lose-webhooks@batchRenderTemplate*1")
    with project.served("--dialect", "names", "--faults", *lost) as environ:
        port, secret = project.subscribed(environ)
        for _ in range(2):  # the receiver is away
            project.apply(environ)
            project.collect(environ)
        assert project.files() == {}
        with project.receiving(environ, port, secret):
            advance(environ, 299)  # attempts are 60 s, then 300 s apart: however long all this took, the next is due
            project.delivered(len(project.rendered()) - project.of_first_batch())
            project.collect(environ)
        project.apply(environ)
        assert len(project.files()) == len(local.files()) - project.of_first_batch()
        assert project.files().items() < local.files().items()
        assert "its URL is not known yet" in project.ok("status")
    project.edit("pictify-sync.yaml", "[inbox]", "[inbox, lookup]")
    with project.served("--dialect", "names", "--lookup-variables") as environ:
        project.collect(environ)
        check(project, local, environ)


@pytest.mark.full
def test_no_urls_at_all_until_the_results_tell_them(tmp_path: Path, local: Shipped) -> None:
    """All are recorded as rendered, none is rendered again; when the server changes its dialect, collect finishes."""
    project = remote(tmp_path, local)
    project.edit("pictify-sync.yaml", "[inbox]", "[results]")
    with project.served("--dialect", "names") as environ:
        for _ in range(2):
            project.apply(environ)
            project.collect(environ)
        assert project.files() == {}
        assert len(project.rendered()) == len(local.files())
    with project.served("--dialect", "nested") as environ:
        project.collect(environ)
        check(project, local, environ)
