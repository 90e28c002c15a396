"""Previews over fakes: what each kind of change shows, and that nothing but the gallery is written to."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.gallery import FolderGallery
from pictify_sync.core.model import (
    DEFAULT_LAYOUT,
    Action,
    Artifact,
    Asset,
    AssetKey,
    Change,
    Origin,
    Reason,
    Record,
)
from pictify_sync.core.ports import Expectation, Payloads
from pictify_sync.core.preview import NOT_IN_SAMPLE, Comparison, Pair, PictureFile, Preview
from pictify_sync.core.template import LayoutSize, TemplateRecord, TemplateSource
from pictify_sync.errors import InputError, Problem, ProviderError, StorageUnavailable
from pictify_sync.workflows.preview.draw import NO_SOURCE, VIDEO, PreviewEngine, drawable
from pictify_sync.workflows.preview.run import CHANGED_SINCE, MOVED, REMOVED, PreviewContext, preview
from tests.core.assets import asset, record
from tests.workflows.world import FakeClock, ListDesired, PainterProvider, picture

CARD = TemplateSource("card", "local", "<b>{{v}}</b>", {DEFAULT_LAYOUT: LayoutSize(8, 8)}, (), "d", {}, Origin("", 0))


def compare(pairs: Iterable[Pair]) -> Iterator[Comparison | str]:
    """Compare bytes: all or nothing."""
    for before, after, _ in pairs:
        yield Comparison(float(Path(before.path).read_bytes() != Path(after.path).read_bytes()), None)


class Room:
    """A context with a painter in it, and published files."""

    def __init__(self, folder: Path) -> None:
        self.painter = PainterProvider(poll_seconds=1)
        self.published = FileArtifacts(folder / "out")
        self.pictures = folder / "pictures"
        self.templates = {("local", "card"): CARD}
        self.payloads: Payloads = ListDesired([])

    def publish(self, of: Asset, content: bytes | None = None) -> Record:
        """The record of an asset that was made, its file in place; other bytes may stand there."""
        right = picture(json.loads(of.variables), of.spec.variant)
        staged = self.published.stage([right], Expectation("png", 8, 8))
        artifact = self.published.publish(staged, [of.output])[0]
        if content is not None:
            (self.published.root / of.output).write_bytes(content)
        return record(of, artifact=artifact)

    def show(self, *changes: Change, limit: int = 50) -> dict[str, Preview]:
        """The previews by key."""
        engine = PreviewEngine(self.painter, self.templates, self.payloads, FolderGallery(self.pictures), FakeClock())
        context = PreviewContext(engine, self.published, compare)
        ordered = sorted(changes, key=lambda change: change.key.encode())
        found = list(preview(ordered, context, limit))
        assert [change.key for change, _ in found] == [one.key for _, one in found]
        return {one.key: one for _, one in found}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """An empty context."""
    return Room(tmp_path)


def create(item: str, **more: Any) -> Change:
    """A new asset."""
    wanted = asset(item, **more)
    return Change(wanted.key, Action.CREATE, Reason.NEW, wanted, None)


def colour(picture: PictureFile | None) -> object:
    """The one colour of a picture."""
    assert picture is not None
    with Image.open(picture.path) as image:
        return image.getpixel((0, 0))


def test_a_new_picture_is_drawn(room: Room) -> None:
    """From the variables of its row; there is nothing to compare."""
    change = create("a")
    shown = room.show(change)[change.key]
    assert (shown.before, shown.comparison) == (None, None)
    assert shown.after
    assert Path(shown.after.path).read_bytes() == picture({"v": "a"}, DEFAULT_LAYOUT)
    assert (shown.after.media_type, shown.after.width, shown.after.height, shown.note) == ("image/png", 8, 8, "")


def test_an_update_shows_both_and_whether_they_differ(room: Room) -> None:
    """Also where an edit of the template changes no pixel."""
    old, new = asset("a", value="1"), asset("a", value="2")
    same = asset("b", value="1")
    changes = (
        Change(new.key, Action.UPDATE, Reason.VARIABLES_CHANGED, new, room.publish(old)),
        Change(same.key, Action.UPDATE, Reason.TEMPLATE_CHANGED, same, room.publish(same)),
    )
    shown = room.show(*changes)
    assert shown[new.key].comparison == Comparison(1.0, None)
    assert shown[same.key].looks_equal
    assert [one.note for one in shown.values()] == ["", ""]


def test_a_move_shows_the_stored_picture_and_draws_nothing(room: Room) -> None:
    """It is the same picture at another place."""
    old, new = asset("old", value="x"), asset("new", value="x")
    shown = room.show(Change(new.key, Action.MOVE, Reason.RENAMED, new, None, room.publish(old)))[new.key]
    assert shown.before
    assert (shown.after, shown.comparison, shown.note) == (None, None, MOVED)
    assert room.painter.posts == 0


def test_a_copy_shows_the_file_that_will_be_copied(room: Room) -> None:
    """Beside what it replaces."""
    twin, was, wanted = asset("twin", value="t"), asset("a", value="1"), asset("a", value="t")
    change = Change(wanted.key, Action.UPDATE, Reason.VARIABLES_CHANGED, wanted, room.publish(was), room.publish(twin))
    shown = room.show(change)[wanted.key]
    assert shown.after
    assert Path(shown.after.path).read_bytes() == picture({"v": "t"}, DEFAULT_LAYOUT)
    assert shown.comparison == Comparison(1.0, None)
    assert room.painter.posts == 0


def test_a_delete_shows_what_goes(room: Room) -> None:
    """And why there is no other picture."""
    gone = asset("gone")
    shown = room.show(Change(gone.key, Action.DELETE, Reason.NOT_IN_MANIFEST, None, room.publish(gone)))[gone.key]
    assert shown.before
    assert (shown.after, shown.note) == (None, REMOVED)


def test_a_repair_shows_what_a_hand_did_to_the_file(room: Room) -> None:
    """Changed bytes that are a picture are shown; what is none, and what is gone, is told."""
    other, garbage, lost = asset("other"), asset("garbage"), asset("lost")
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    records = [room.publish(other, file.getvalue()), room.publish(garbage, b"no picture"), room.publish(lost)]
    (room.published.root / lost.output).unlink()
    reasons = (Reason.TAMPERED, Reason.TAMPERED, Reason.MISSING)
    shown = room.show(
        *(
            Change(one.key, Action.REPAIR, reason, one, held)
            for one, reason, held in zip((other, garbage, lost), reasons, records, strict=True)
        )
    )
    assert all(one.after for one in shown.values())
    assert shown[other.key].note == CHANGED_SINCE
    assert colour(shown[other.key].before) == (255, 0, 0)
    assert (shown[garbage.key].before, shown[lost.key].before) == (None, None)
    assert "not a picture" in shown[garbage.key].note
    assert "cannot be shown" in shown[lost.key].note


def test_what_cannot_be_drawn_says_why(room: Room) -> None:
    """The engine's reason, a download that is no picture, a video, a template that nobody has seen."""
    failing, broken, video, unseen = (
        create("failing"),
        create("broken"),
        create("video", format="mp4"),
        create("unseen", template="XL13XACH2V", provider="pictify"),
    )
    room.painter.failing["failing"] = "IMAGE_FETCH_FAILED"
    room.painter.broken_downloads.add(f"fake:{json.dumps([{'v': 'broken'}, DEFAULT_LAYOUT])}")
    shown = room.show(failing, broken, video, unseen, create("fine"))
    assert {key: one.after is None for key, one in shown.items()} == {
        failing.key: True, broken.key: True, video.key: True, unseen.key: True, "m/fine@default": False,
    }  # fmt: skip
    assert shown[failing.key].note == "IMAGE_FETCH_FAILED: it failed"
    assert "not a picture" in shown[broken.key].note
    assert (shown[video.key].note, shown[unseen.key].note) == (VIDEO, NO_SOURCE)


def test_a_template_that_is_refused_fails_its_own_pictures_only(room: Room) -> None:
    """It is pushed once, whatever the number of batches."""

    class Picky(PainterProvider):
        pushed = 0

        def push_template(self, source: TemplateSource, uid: str | None) -> str:
            self.pushed += 1
            if source.name == "bad":
                raise ProviderError("Handlebars: parse error on line 3")
            return source.name

    room.painter = painter = Picky()
    room.templates["local", "bad"] = replace(CARD, name="bad")
    bad = [create(f"bad{number}", template="bad") for number in range(45)]
    shown = room.show(*bad, create("fine"))
    assert {shown[change.key].note for change in bad} == {"Handlebars: parse error on line 3"}
    assert shown[AssetKey("m/fine@default")].after
    assert painter.pushed == 2


def test_variables_that_can_no_longer_be_restored_fail_their_own_picture(room: Room) -> None:
    """As a local picture that changed since it was planned."""

    class Changed(ListDesired):
        def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
            if "/bad@" in key:
                raise InputError([Problem("flag.png", 0, 0, "the picture changed since it was planned")])
            return super().payload(key, variables)

    room.payloads = Changed([])
    shown = room.show(create("bad"), create("fine"))
    assert shown["m/bad@default"].note == "the picture changed since it was planned"
    assert shown["m/fine@default"].after


def test_equal_inputs_are_drawn_once(room: Room) -> None:
    """One file for several keys."""
    shown = list(room.show(create("a", value="x"), create("b", value="x")).values())
    assert shown[0].after == shown[1].after is not None
    assert sum(room.painter.meter.values()) == 1


def test_a_picture_for_a_remote_provider_says_who_drew_it(room: Room) -> None:
    """The service may draw it differently; its template's html is what a refresh recorded."""
    layouts = {DEFAULT_LAYOUT: LayoutSize(8, 8)}
    seen = TemplateRecord("U1", "pictify", "U1", "", {}, "<b>{{v}}</b>", layouts=layouts)
    pushed = replace(seen, name="card", digest="d", source="<img src=logo.png>")  # its html needs other files
    blank = replace(seen, name="U2", source="")
    room.templates = drawable([CARD], [seen, pushed, blank])
    assert set(room.templates) == {("local", "card"), ("pictify", "U1")}
    shown = room.show(create("a", template="U1", provider="pictify"))["m/a@default"]
    assert shown.after
    assert "pictify may draw it differently" in shown.note


def test_the_rest_is_listed(room: Room) -> None:
    """Manifests take turns; what is not in the sample is neither drawn nor read."""
    changes = [
        create(f"i{number}", manifest=name, value=f"{name}{number}") for name in ("a", "b") for number in range(5)
    ]
    shown = room.show(*changes, limit=4)
    drawn = [key for key, one in shown.items() if one.after]
    assert len(shown) == 10
    assert [key.partition("/")[0] for key in drawn] == ["a", "a", "b", "b"]
    assert {one.note for one in shown.values() if not one.in_sample} == {NOT_IN_SAMPLE}
    assert len(list(room.pictures.iterdir())) == 4


def test_the_published_files_are_as_before(room: Room) -> None:
    """A preview reads them, and writes to its gallery only."""
    old, new = asset("a", value="1"), asset("a", value="2")
    held = room.publish(old)
    before = tree(room.published.root)
    room.show(Change(new.key, Action.UPDATE, Reason.VARIABLES_CHANGED, new, held), create("b"))
    assert tree(room.published.root) == before


def tree(folder: Path) -> Sequence[tuple[str, bytes]]:
    """Every file with its bytes."""
    return sorted((str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file())


def test_a_store_that_cannot_be_reached_is_asked_once(room: Room) -> None:
    """A bucket without a network: the pictures to come are shown all the same."""

    class Far(FileArtifacts):
        asked = 0

        def read(self, artifact: Artifact) -> bytes:
            self.asked += 1
            raise StorageUnavailable("the bucket cannot be reached")

    changes = []
    for number in range(3):
        old, new = asset(f"i{number}", value="1"), asset(f"i{number}", value="2")
        changes.append(Change(new.key, Action.UPDATE, Reason.VARIABLES_CHANGED, new, room.publish(old)))
    room.published = far = Far(room.published.root)
    for one in room.show(*changes).values():
        assert (one.before, one.comparison) == (None, None)
        assert one.after
        assert one.note.endswith("the bucket cannot be reached")
    assert far.asked == 1
