"""The real command with pictures in a bucket, or left at their URLs."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from PIL import Image

from tests.artifacts.service import KEYS, failing, serving
from tests.end_to_end.project import ProjectFolder

NAMES = {f"cards/i{number}.{layout}.png" for number in range(4) for layout in ("default", "square")}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A bucket, and an environment that leads to it."""
    with serving() as endpoint:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        yield S3Store("pictures", prefix=tmp_path.name)


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """Eight pictures to make, for the bucket."""
    return ProjectFolder(tmp_path, settings=f"artifacts: s3://pictures/{tmp_path.name}\n")


def paths(place: S3Store) -> set[str]:
    """All objects of the project."""
    return {found["path"] for page in obstore.list(place) for found in page}


def test_a_bucket_is_kept_as_the_manifests_say(project: ProjectFolder, place: S3Store) -> None:
    """Apply stores objects and no file; what is lost or changed is found and repaired; moves and deletes follow."""
    project.ok("apply", "--yes")
    assert paths(place) == NAMES
    assert not (project.folder / "output").exists()
    found = obstore.get(place, "cards/i1.square.png")
    assert found.attributes["Content-Type"] == "image/png"
    with Image.open(BytesIO(found.bytes())) as image:
        assert image.size == (80, 80)
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert project.run("refresh", "--check").returncode == 0

    lie = obstore.get(place, "cards/i1.square.png", options={"head": True})
    forged = bytes(lie.meta["size"])
    obstore.put(place, "cards/i1.square.png", forged, attributes=lie.attributes)
    assert project.run("refresh", "--check").returncode == 0
    assert project.run("refresh", "--check", "--deep").returncode == 2

    obstore.delete(place, "cards/i1.square.png")
    obstore.put(place, "cards/i2.default.png", b"not ours")
    checked = project.run("refresh", "--check")
    assert checked.returncode == 2
    assert "cards/i1.square.png" in checked.stdout
    assert "cards/i2.default.png" in checked.stdout
    project.ok("refresh")
    project.ok("apply", "--yes")
    assert paths(place) == NAMES
    assert project.run("refresh", "--check").returncode == 0

    rendered = project.meter()
    project.edit("manifests/rows.csv", "i3,", "j3,")
    project.ok("apply", "--yes")
    assert paths(place) == {name.replace("i3", "j3") for name in NAMES}
    assert project.meter() == rendered
    project.edit("manifests/rows.csv", "j3,Title 3,#6f1140\n", "")
    project.ok("apply", "--yes", "--allow-deletes")
    assert paths(place) == {name for name in NAMES if "i3" not in name}


def test_storage_that_is_down_is_no_drift(project: ProjectFolder, place: S3Store, tmp_path: Path) -> None:
    """Nothing is rendered that cannot be kept, nothing is recorded as missing, and no key is told."""
    project.ok("apply", "--yes")
    rendered = project.meter()
    project.edit("manifests/rows.csv", "Title 1", "Another title")
    with serving() as gone:
        pass
    with failing(404, b"<Error><Code>NoSuchBucket</Code></Error>") as emptied:
        no_service, no_bucket = {"AWS_ENDPOINT_URL": gone}, {"AWS_ENDPOINT_URL": emptied}
        another = {"PICTIFY_SYNC_ARTIFACTS": "s3://no-such-bucket/p"}
        for command, wrong, words in (
            (("refresh",), no_service, "cannot be reached"),
            (("refresh", "--check"), no_bucket, "does not exist"),
            (("apply", "--yes"), no_bucket, "does not exist"),
            (("refresh",), another, "does not exist"),
            (("apply", "--yes"), another, "are kept in s3://pictures/"),
        ):
            done = project.run(*command, environ=wrong)
            assert done.returncode == 1
            assert words in done.stderr
            assert "Traceback" not in done.stderr
            assert not [key for key in KEYS.values() if len(key) > 10 and key in done.stdout + done.stderr]
    assert project.meter() == rendered
    assert project.run("refresh", "--check").returncode == 0
    project.ok("apply", "--yes")
    assert sum((project.meter() - rendered).values()) == 2


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3://b", "s3://key:secret@bucket/x", "s3://bucket/../x", "http://bucket", "s3://bucket/a?x=1", "folder"],
)
def test_other_places_are_refused(tmp_path: Path, url: str) -> None:
    """A place is one of three kinds; what else is written there, a secret perhaps, is not repeated."""
    done = ProjectFolder(tmp_path, settings=f"artifacts: '{url}'\n").run("plan")
    assert done.returncode == 1
    assert "pictify-sync.yaml:2:12: error: 'artifacts' is 'files', 'none', or s3://" in done.stderr
    assert "secret" not in done.stderr


def test_urls_only(tmp_path: Path) -> None:
    """With `none` nothing is stored but the state: the second plan is empty, and nothing drifts."""
    project = ProjectFolder(tmp_path, settings="artifacts: none\n")
    project.ok("apply", "--yes")
    rendered = project.meter()
    assert sum(rendered.values()) == 8
    assert not (tmp_path / "output").exists()
    shown = project.ok("show", "cards/i1@square")
    assert "url: " in shown
    assert "sha256" not in shown
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert project.run("refresh", "--check").returncode == 0
    project.edit("manifests/rows.csv", "i3,", "j3,")
    project.edit("manifests/rows.csv", "i2,Title 2", "i2,Title 0")
    project.ok("apply", "--yes", "--allow-deletes")
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert not (tmp_path / "output").exists()


def test_from_urls_to_files(tmp_path: Path) -> None:
    """Pictures that were left at their URLs are fetched from there once they are to be kept: nothing is rendered."""
    project = ProjectFolder(tmp_path, settings="artifacts: none\n")
    project.ok("apply", "--yes")
    rendered = project.meter()
    project.edit("pictify-sync.yaml", "artifacts: none", "artifacts: files")
    project.ok("refresh")
    project.ok("apply", "--yes")
    assert set(project.files()) == NAMES
    assert project.meter() == rendered
