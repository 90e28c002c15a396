"""The real command against the served render server, as if it were an account at Pictify, in every result dialect."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pictify_sync.providers.pictify.server.app import read_meter
from tests.end_to_end.project import ProjectFolder

KEY = "0123456789abcdef" * 4
SETTINGS = "provider: pictify\nproviders: {pictify: {poll_seconds: 0.2, requests_per_minute: 6000, max_open: 2}}\n"


@contextmanager
def served(project: ProjectFolder, *options: str) -> Iterator[dict[str, str]]:
    """Serve from a folder below the project; gives the environment that points to it."""
    process = project.start("serve", "--port", "0", "--token", KEY, "--folder", "server", *options)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "Serving at " in line, line + process.stderr.read()
    try:
        yield {"PICTIFY_API_KEY": KEY, "PICTIFY_BASE_URL": line.split("Serving at ")[1].strip()}
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that the embedded provider makes of the same manifests."""
    project = ProjectFolder(tmp_path_factory.mktemp("local"))
    project.ok("apply", "--yes")
    return project.files()


def rendered(project: ProjectFolder) -> int:
    """What the server's meter says."""
    return len(read_meter(project.folder / "server"))


@pytest.mark.parametrize("errors", ["plain", pytest.param("problem", marks=pytest.mark.full)])
@pytest.mark.parametrize("dialect", ["nested", "flat", "legacy", "dashboard"])
def test_each_dialect_ends_with_the_files_of_the_embedded_provider(
    tmp_path: Path, local: dict[str, bytes], dialect: str, errors: str
) -> None:
    """URLs come from the results, whatever their shape; one layout per batch where a shape knows only one."""
    one_url = dialect in {"flat", "legacy", "dashboard"}
    settings = SETTINGS.replace("max_open: 2", "max_open: 2, many_layouts: false") if one_url else SETTINGS
    project = ProjectFolder(tmp_path, settings=settings)
    with served(project, "--dialect", dialect, "--errors", errors) as environ:
        done = project.run("apply", "--yes", environ=environ)
        assert done.returncode == 0, done.stdout + done.stderr
        assert project.files() == local
        assert rendered(project) == 8
        again = project.run("plan", "--detailed-exitcode", environ=environ)
        assert again.returncode == 0, again.stdout
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("errors", ["plain", pytest.param("problem", marks=pytest.mark.full)])
def test_without_urls_nothing_is_rendered_twice_and_collect_finishes(
    tmp_path: Path, local: dict[str, bytes], errors: str
) -> None:
    """All are recorded as rendered; once a look-up tells variables, collect publishes them without a render."""
    project = ProjectFolder(tmp_path, settings=SETTINGS)
    with served(project, "--dialect", "names", "--errors", errors) as environ:
        for _ in range(2):
            done = project.run("apply", "--yes", environ=environ)
            assert done.returncode == 0, done.stdout + done.stderr
        assert project.run("apply", "--yes", "--detailed-exitcode", environ=environ).returncode == 2
        assert project.files() == {}
        assert rendered(project) == 8
        assert project.run("collect", environ=environ).returncode == 0
        assert project.files() == {}
    with served(project, "--dialect", "names", "--errors", errors, "--lookup-variables") as environ:
        collected = project.run("collect", environ=environ)
        assert collected.returncode == 0, collected.stdout + collected.stderr
        assert project.files() == local
        assert rendered(project) == 8
        assert project.run("plan", "--detailed-exitcode", environ=environ).returncode == 0


def test_a_wrong_key_stops_with_a_hint_and_shows_no_key(tmp_path: Path) -> None:
    """Nothing is recorded, and the key appears nowhere."""
    project = ProjectFolder(tmp_path, settings=SETTINGS)
    wrong = "f" * 64
    with served(project) as environ:
        done = project.run("apply", "--yes", environ={**environ, "PICTIFY_API_KEY": wrong})
    assert done.returncode == 1
    assert "key" in done.stderr.lower()
    assert wrong not in done.stdout + done.stderr
    assert project.files() == {}
